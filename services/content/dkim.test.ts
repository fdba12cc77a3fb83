import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relaxedEnd, relaxedLines } from './canonical.ts'
import { fieldOf, hashBody, relaxedField, signDkim } from './dkim.ts'
import { chooseKeys, loadDkimKey, loadDkimKeys, type DkimKey } from './dkim-keys.ts'
import { pem, rsaRow, edRow, verify } from './dkim.testkit.ts'

const NOON = Date.UTC(2026, 11, 1, 12)

function load(...rows: Parameters<typeof loadDkimKey>[0][]): readonly DkimKey[] {
  const { keys, problems } = loadDkimKeys(rows)
  expect(problems).toEqual([])
  return keys
}

const fields = [
  'From: =?UTF-8?B?44Ki44Kv44Of?= <news@acme.example>',
  'To: taro@example.jp',
  'Subject:   two  spaces \t and\r\n a fold',
  'Date: Tue, 01 Dec 2026 12:00:00 +0000',
  'Message-ID: <a@acme.example>',
  'List-Unsubscribe: <https://acme.example/u/1>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  'X-Segment: vip',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
]

function toSign(body: string, over: readonly string[] = fields) {
  return { fields: over.map(fieldOf), bodyHash: hashBody([Buffer.from(relaxedBody(body))]), at: NOON }
}

function relaxedBody(body: string): string {
  return relaxedEnd(relaxedLines(body))
}

async function signed(body: string, keys: readonly DkimKey[], over: readonly string[] = fields): Promise<string> {
  const signatures = await signDkim(toSign(body, over), keys)
  return `${[...signatures, ...over].join('\r\n')}\r\n\r\n${body}`
}

describe('a signature', () => {
  const keys = load(rsaRow, edRow)

  test.each(['hello\r\n', '', '\r\n\r\n', 'a  b \t c \r\n\r\n \r\n', '.\r\n..dots\r\n'])('of %j passes by RSA, then Ed25519', async (body) => {
    expect(await verify(await signed(body, keys), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })

  test('passes for any body', async () => {
    const line = fc.string({ unit: fc.constantFrom(' ', '\t', '.', 'a', '=', 'é'), maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
        expect(await verify(await signed(lines.map((text) => `${text}\r\n`).join(''), keys), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    ['another body', (mail: string) => `${mail}!`],
    ['another subject', (mail: string) => mail.replace('a fold', 'another fold')],
    ['a second From', (mail: string) => mail.replace('\r\nTo:', '\r\nFrom: evil@evil.example\r\nTo:')],
    ['an added Cc', (mail: string) => mail.replace('\r\nTo:', '\r\nCc: evil@evil.example\r\nTo:')],
    ['another unsubscribe link', (mail: string) => mail.replace('/u/1', '/u/2')],
  ])('fails for %s', async (_, change) => {
    const mail = change(await signed('hello\r\n', keys))
    expect((await verify(mail, keys)).some((result) => result.endsWith('pass'))).toBe(false)
  })

  test('has t=, the same at every attempt, and neither l= nor x=; no line is long', async () => {
    const [rsa = '', ed = ''] = await signDkim(toSign('x\r\n'), keys)
    expect(rsa).toContain(`t=${NOON / 1_000};`)
    expect(`${rsa}${ed}`).not.toMatch(/[;\s][lx]=/)
    expect(Math.max(...`${rsa}\r\n${ed}`.split('\r\n').map((text) => text.length))).toBeLessThanOrEqual(78)
    expect(await signDkim(toSign('x\r\n'), keys)).toEqual([rsa, ed])
  })

  test('covers every field of a name, lowest first', async () => {
    const twice = [...fields, 'List-Help: <https://acme.example/1>', 'List-Help: <https://acme.example/2>']
    expect(await verify(await signed('x\r\n', keys, twice), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })
})

describe('relaxed canonicalisation (RFC 6376 3.4.5)', () => {
  test('gives the example of the RFC', () => {
    expect(['A: X ', 'B : Y\t\r\n\tZ  '].map(relaxedField)).toEqual(['a:X', 'b:Y Z'])
    expect(relaxedBody(' C \r\nD \t E\r\n\r\n\r\n')).toBe(' C\r\nD E\r\n')
  })
})

describe('a key', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

  test.each([
    ['garbage', 'not a private key'],
    ['', 'not a private key'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'cannot be read'],
    [generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'this is the public key'],
    [weak.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(), 'pass phrase'],
    [pem(small), '512 bits'],
    [pem(curve), 'type ec'],
  ])('is refused with its reason (%#)', (text, why) => {
    const { keys, problems } = loadDkimKey({ ...rsaRow, pem: text })
    expect(keys).toEqual([])
    expect(problems).toEqual([{ path: 'dkim', message: expect.stringMatching(new RegExp(`^s1\\._domainkey\\.acme\\.example: .*${why}`)) }])
  })

  test('of 1024 bits is taken with a warning', () => {
    const { keys, warnings } = loadDkimKey({ ...rsaRow, pem: pem(weak) })
    expect(keys).toHaveLength(1)
    expect(warnings[0]?.message).toContain('1024 bits')
  })

  test('of Ed25519 cannot be a domain’s only one', () => {
    expect(loadDkimKeys([edRow]).problems).toEqual([{ path: 'dkim', message: expect.stringContaining('acme.example has only Ed25519 keys') }])
    expect(loadDkimKeys([rsaRow, edRow]).problems).toEqual([])
  })

  test('signs for its tenants, its domain and below, and in its time', () => {
    const keys = load(rsaRow, edRow, { ...rsaRow, selector: 's2', from: NOON }, { ...rsaRow, domain: 'mail.acme.example', selector: 'm' })
    const chosen = (tenant: string, fromDomain: string, at: number) => chooseKeys(keys, { tenant, fromDomain, at }).map((key) => key.selector)
    expect(chosen('acme', 'acme.example', NOON - 1)).toEqual(['s1', 'e1'])
    expect(chosen('acme', 'acme.example', NOON)).toEqual(['s2', 'e1'])
    expect(chosen('acme', 'x.acme.example', NOON)).toEqual(['s2', 'e1'])
    expect(chosen('acme', 'a.mail.acme.example', NOON)).toEqual(['m'])
    expect(chosen('acme', 'badacme.example', NOON)).toEqual([])
    expect(chosen('other', 'acme.example', NOON)).toEqual([])
  })
})
