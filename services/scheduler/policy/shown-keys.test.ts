import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { goneOf, type MissingKeys } from '../../../protocol/messages/dkim-keys.ts'
import { chooseShownKeys, type DkimKey, keyId, loadDkimKeys } from '../../content/dkim-keys.ts'
import { sightOf } from '../../content/preflight/dkim.ts'
import { lookAgainAfterMs, onlyOf, type Seen, see, whyUnsigned } from './shown-keys.ts'

const TIMES = { everyMs: 3_600_000, againMs: 300_000 }
const MINUTE_MS = 60_000
const shown: Seen = { kind: 'shown', ttlMs: 60_000 }
const unknown: Seen = { kind: 'unknown', ttlMs: 5_000 }
const absent = (ttlMs = 30_000): Seen => ({ kind: 'absent', because: 'it is not in DNS', ttlMs })

/** what is known after each of these, asked at these minutes */
type Story = readonly (readonly [minute: number, seen: Seen])[]
function knownBy(...story: Story): MissingKeys {
  return story.reduce<MissingKeys>((missing, [minute, seen]) => see(missing, 'k', seen, minute * MINUTE_MS, TIMES), {})
}
const isGone = (...story: Story) => goneOf(knownBy(...story)).has('k')

describe('a key is dropped', () => {
  it('when DNS denied it twice, some minutes apart', () => {
    expect(isGone([0, absent()])).toBe(false)
    expect(isGone([0, absent()], [4, absent()])).toBe(false)
    expect(isGone([0, absent()], [5, absent()])).toBe(true)
  })
  it('not before the first answer has run out, since the second would be the same one', () => {
    expect(isGone([0, absent(20 * MINUTE_MS)], [19, absent()])).toBe(false)
    expect(isGone([0, absent(20 * MINUTE_MS)], [20, absent()])).toBe(true)
    expect(lookAgainAfterMs(absent(20 * MINUTE_MS), TIMES)).toBe(20 * MINUTE_MS)
  })
  it('never by a server that fails, and what was denied stays denied while it does', () => {
    expect(knownBy([0, unknown], [5, unknown], [10, unknown])).toEqual({})
    expect(isGone([0, absent()], [5, unknown], [10, unknown])).toBe(false)
    expect(isGone([0, absent()], [5, unknown], [10, absent()])).toBe(true)
    expect(isGone([0, absent()], [5, absent()], [10, unknown])).toBe(true)
  })
  it('not when it was seen in between; one look at it brings it back', () => {
    expect(isGone([0, absent()], [5, shown], [10, absent()])).toBe(false)
    expect(knownBy([0, absent()], [5, absent()], [10, shown])).toEqual({})
  })
  it('not by a denial of another day', () => {
    expect(isGone([0, absent()], [600, absent()])).toBe(false)
    expect(isGone([0, absent()], [600, absent()], [605, absent()])).toBe(true)
  })
})

it('whatever DNS says: gone = denied twice, the second time after the first had run out, nothing seen in between', () => {
  const seen = fc.oneof(
    fc.constant(shown),
    fc.constant(unknown),
    fc.integer({ min: 5, max: 3_600 }).map((ttlS) => absent(ttlS * 1_000)),
  )
  const story = fc.array(fc.record({ seen, waitMs: fc.integer({ min: 1_000, max: 2 * TIMES.everyMs }) }), { maxLength: 30 })
  fc.assert(
    fc.property(story, (steps) => {
      let missing: MissingKeys = {}
      let now = 0
      let denials: { at: number; validUntil: number }[] = []
      for (const { seen, waitMs } of steps) {
        now += waitMs
        const before = missing
        missing = see(missing, 'k', seen, now, TIMES)
        if (seen.kind === 'unknown') expect(missing).toBe(before)
        if (seen.kind === 'shown') {
          denials = []
          expect(missing).toEqual({})
        }
        if (seen.kind === 'absent') denials.push({ at: now, validUntil: now + Math.max(TIMES.againMs, seen.ttlMs) })
        if (goneOf(missing).has('k')) expect(denials.slice(0, -1).some(({ validUntil }) => validUntil <= (denials.at(-1)?.at ?? 0))).toBe(true)
        else if (seen.kind === 'absent') expect(missing.k?.because).toBe(seen.because)
      }
    }),
  )
})

const pem = (type: 'rsa' | 'ed25519') =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 1_024 }) : generateKeyPairSync('ed25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
const row = (domain: string, selector: string, type: 'rsa' | 'ed25519' = 'rsa', from: number | null = null) => ({
  domain,
  selector,
  pem: pem(type),
  tenants: ['acme'],
  from,
})
const { keys } = loadDkimKeys([
  row('acme.example', 'old'),
  row('acme.example', 'new', 'rsa', 1_000),
  row('acme.example', 'ed', 'ed25519'),
  row('shop.acme.example', 'shop'),
  row('shop.acme.example', 'shop-ed', 'ed25519'),
])
const named = (selector: string) => keys.find((key) => key.selector === selector) as DkimKey
const without = (...selectors: string[]): MissingKeys =>
  Object.fromEntries(selectors.map((selector) => [keyId(named(selector)), { because: 'it is not in DNS', since: 0, againFrom: 0, gone: true }]))
const signers = (fromDomain: string, missing: MissingKeys) =>
  chooseShownKeys(keys, { tenant: 'acme', fromDomain, at: 2_000 }, goneOf(missing)).map(({ selector }) => selector)
const why = (fromDomain: string, missing: MissingKeys) => whyUnsigned(keys, { tenant: 'acme', fromDomain, at: 2_000 }, missing)

describe('with the keys that remain', () => {
  it('sign the other selector, the RSA key alone, the domain above', () => {
    expect(signers('acme.example', {})).toEqual(['new', 'ed'])
    expect(signers('acme.example', without('new'))).toEqual(['old', 'ed'])
    expect(signers('acme.example', without('ed'))).toEqual(['new'])
    expect(signers('shop.acme.example', without('old'))).toEqual(['shop', 'shop-ed'])
    expect(signers('shop.acme.example', without('shop')), 'an ed25519 key never signs alone').toEqual(['new', 'ed'])
  })
  it('nothing is signed without an RSA key, and what to publish is said', () => {
    const gone = without('old', 'new')
    expect(signers('acme.example', gone)).toEqual([])
    expect(why('acme.example', gone)).toContain(
      `(new._domainkey.acme.example: it is not in DNS); publish new._domainkey.acme.example TXT ${named('new').dnsRecord}`,
    )
    for (const [from, missing] of [
      ['acme.example', without('new')],
      ['acme.example', without('ed')],
      ['shop.acme.example', gone],
      ['elsewhere.example', gone],
    ] as const)
      expect(why(from, missing)).toBe(null)
  })
  it('a denial that stands alone holds nothing', () => {
    const doubted = Object.fromEntries(Object.entries(without('old', 'new')).map(([id, one]) => [id, { ...one, gone: false }]))
    expect(why('acme.example', doubted)).toBe(null)
  })
  it('another key under the same selector is not the one that was denied', () => {
    const { keys: others } = loadDkimKeys([row('acme.example', 'new')])
    expect(whyUnsigned(others, { tenant: 'acme', fromDomain: 'acme.example', at: 0 }, without('old', 'new'))).toBe(null)
    expect(onlyOf(without('old', 'new'), others)).toEqual({})
    expect(Object.keys(onlyOf(without('old', 'new'), [named('old')]))).toEqual([keyId(named('old'))])
  })
})

describe('what DNS says of a key', () => {
  const { dnsRecord } = named('old')
  it.each([
    ['its record', [dnsRecord], 'shown'],
    ['its record among others', ['v=spf1 -all', dnsRecord], 'shown'],
    ['its record as a test', [`${dnsRecord}; t=y`], 'shown'],
    ['another key', [named('new').dnsRecord], 'absent'],
    ['an empty p=', ['v=DKIM1; k=rsa; p='], 'absent'],
    ["something that is no key, by a domain's wildcard", ['v=spf1 -all'], 'absent'],
  ])('%s', (_, records, kind) => {
    expect(sightOf({ kind: 'records', records }, dnsRecord).kind).toBe(kind)
  })
  it('no record denies it; no answer says nothing', () => {
    expect(sightOf({ kind: 'none' }, dnsRecord).kind).toBe('absent')
    expect(sightOf({ kind: 'unknown', because: 'SERVFAIL' }, dnsRecord)).toEqual({ kind: 'unknown' })
  })
})
