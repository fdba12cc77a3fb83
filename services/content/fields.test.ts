import { simpleParser } from 'mailparser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dateField, kindFields, mailboxField, oneLine, readUnsubscribe, textField, unsubscribeFields } from './fields.ts'

const anything = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.constantFrom('春の新作 ', '👩‍👩‍👧', 'é', 'a', ' ', '=?UTF-8?Q?a?=', '"', '\\', '(', '<x@y.jp>,', '\r\nBcc: evil@evil.example', '\0', '\ud83d'))
    .map((parts) => parts.join('')),
  fc.string({ unit: fc.constantFrom(...'abc ="?_<>'), maxLength: 2_000 }),
)

function linesAreSound(field: string): void {
  for (const [at, line] of field.split('\r\n').entries()) {
    expect(line).not.toMatch(/[\r\n\0]/)
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998)
    if (at > 0) expect(line).toMatch(/^[ \t]+\S/) // a continuation is never blank: some read that as the header's end
  }
  for (const [word] of field.matchAll(/=\?[^? ]+\?[BQ]\?[^? ]*\?=/g)) {
    expect(word.length).toBeLessThanOrEqual(75)
    const inside = Buffer.from(word.slice(10, -2), 'base64')
    if (word.startsWith('=?UTF-8?B?')) expect(Buffer.from(inside.toString()).equals(inside)).toBe(true) // no character is split
  }
}

describe('a subject', () => {
  test('of any characters arrives as written, in sound lines and one field', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (subject) => {
        const field = textField('Subject', subject)
        linesAreSound(field)
        const parsed = await simpleParser(`${field}\r\nX-After: 1\r\n\r\n`)
        expect(parsed.subject ?? '').toBe(oneLine(subject))
        expect([...parsed.headers.keys()]).toEqual(oneLine(subject) === '' ? ['x-after'] : ['subject', 'x-after'])
      }),
      { numRuns: 300 },
    )
  })

  test('in plain English stays readable', () => {
    expect(textField('Subject', 'Your order (12) has been shipped')).toBe('Subject: Your order (12) has been shipped')
  })
})

describe('a display name', () => {
  test('of any characters arrives as written, beside one address', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (name) => {
        const field = mailboxField('From', { local: 'news', domain: 'acme.example' }, name)
        linesAreSound(field)
        const parsed = await simpleParser(`${field}\r\n\r\n`)
        expect(parsed.from?.value).toEqual([{ address: 'news@acme.example', name: oneLine(name) }])
      }),
      { numRuns: 300 },
    )
  })

  test('leaves the address as the peer hears it', () => {
    expect(mailboxField('To', { local: 'taro..y', domain: 'docomo.ne.jp' }, undefined)).toBe('To: "taro..y"@docomo.ne.jp')
    expect(mailboxField('To', { local: '太郎', domain: 'example.jp' }, 'Taro')).toBe('To: Taro <太郎@example.jp>')
    expect(mailboxField('From', { local: 'a', domain: 'b.jp' }, 'Acme, Inc.')).toBe('From: "Acme, Inc." <a@b.jp>')
  })
})

describe('the fields of a kind', () => {
  const about = { tenant: 'acme', campaign: 'spring', fromDomain: 'acme.example', senderId: 'acmeco', list: undefined }

  test('say what the mail is', () => {
    expect(kindFields({ ...about, kind: 'marketing', list: { id: 'news', name: 'Acme News' } })).toEqual([
      'List-Id: Acme News <news.acme.example>',
      'Feedback-ID: spring:news:acme:acmeco',
      'Precedence: bulk',
    ])
    expect(kindFields({ ...about, kind: 'transactional' })).toEqual(['Feedback-ID: spring:transactional:acme:acmeco', 'Auto-Submitted: auto-generated'])
  })

  test('hold one https URI for one click', () => {
    expect(unsubscribeFields({ url: 'https://acme.example/u/1', mailto: 'u+1@acme.example' })).toEqual([
      'List-Unsubscribe: <https://acme.example/u/1>,\r\n <mailto:u+1@acme.example>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    ])
    expect(unsubscribeFields({ url: null, mailto: null })).toEqual([])
  })

  test.each([
    ['http://acme.example/u', undefined, 'must begin with https'],
    ['acme.example/u', undefined, 'is not a URL'],
    ['https://acme.example/u>, <https://evil.example', undefined, 'is not a URL'],
    ['https://acme.example/u\r\nBcc: x', undefined, 'is not a URL'],
    [`https://acme.example/${'a'.repeat(900)}`, undefined, 'at most 900'],
    ['https://acme.example/u', 'no address', 'is not an address'],
    ['https://acme.example/u', 'a@b.jp>,<x', 'is not an address'],
  ])('refuse %j with %j', (url, mailto, why) => {
    expect(readUnsubscribe(url, mailto)).toMatchObject({ problem: expect.stringContaining(why) })
  })

  test('take a URL in any script, and a mailto with a subject', () => {
    expect(readUnsubscribe('https://例え.jp/解除?t=1', 'mailto:u@acme.example?subject=stop')).toEqual({
      url: 'https://xn--r8jz45g.jp/%E8%A7%A3%E9%99%A4?t=1',
      mailto: 'u@acme.example?subject=stop',
    })
  })

  test('date in UTC', () => {
    expect(dateField(Date.UTC(2026, 11, 1, 9, 5, 7))).toBe('Date: Tue, 01 Dec 2026 09:05:07 +0000')
  })
})
