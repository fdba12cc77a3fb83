import { describe, expect, it } from 'vitest'
import type { Feedback } from '../../../protocol/messages/ops.ts'
import { type Concerned, entryOf, keysOf, verdictOf } from './feedback.ts'

const told = (changes: Partial<Feedback> = {}): Feedback => ({ id: '1', kind: 'complaint', at: '2026-11-24T00:00:00.000Z', source: 'test', ...changes })
const of: Concerned = { campaign: 'spring', rcpt: 'taro@example.jp', site: 'google', ip: '127.0.1.1', list: 'news' }

describe('what came back', () => {
  it('is known again by its id, and by what it says of whom', () => {
    const [id, word] = keysOf('acme', told({ token: 'B-x@bounce.acme.example' }))
    expect(keysOf('acme', told({ token: 'b-x@elsewhere.example' }))).toEqual([id, word])
    expect(keysOf('acme', told({ id: '2', token: 'b-x@bounce.acme.example' }))).toEqual([expect.not.stringContaining(id), word])
    expect(keysOf('acme', told({ token: 'b-x@bounce.acme.example', kind: 'bounce' }))[1]).not.toBe(word)
    const other = keysOf('rival', told({ token: 'b-x@bounce.acme.example' }))
    expect(other).not.toContain(id)
    expect(other).not.toContain(word)
    // without a return path: by address and campaign, else by ref
    const words = [told({ rcpt: 'a@x.jp' }), told({ rcpt: 'b@x.jp' }), told({ rcpt: 'a@x.jp', campaign: 'c' }), told({ ref: 'a@x.jp' }), told({ ref: 'r2' })]
    expect(new Set(words.map((one) => keysOf('acme', one)[1])).size).toBe(5)
    expect(keysOf('acme', told({ rcpt: 'A@x.jp' }))[1]).toBe(keysOf('acme', told({ rcpt: 'a@x.jp' }))[1])
  })

  it('suppresses for good: a complaint the tenant, an unsubscribe the list it names, else the campaign’s, else all', () => {
    expect(entryOf(told(), of)).toMatchObject({ address: 'taro@example.jp', reason: 'complaint', until: null })
    expect(entryOf(told({ kind: 'unsubscribe' }), of)).toMatchObject({ reason: 'unsubscribe', list: 'news' })
    expect(entryOf(told({ kind: 'unsubscribe', list: 'other' }), of)).toMatchObject({ list: 'other' })
    expect(entryOf(told({ kind: 'unsubscribe' }), { ...of, list: null })).not.toHaveProperty('list')
    expect(entryOf(told(), { ...of, rcpt: null })).toBeNull()
    expect(entryOf(told({ kind: 'bounce', class: 'unknown-user' }), of)).toBeNull()
  })

  it('as a bounce is a verdict only where it speaks of the mailbox', () => {
    expect(verdictOf(told({ kind: 'bounce', class: 'unknown-user' }), false)).toBe('unknown-user')
    expect(verdictOf(told({ kind: 'bounce', class: 'unknown-user' }), true)).toBe('ambiguous-user')
    expect(verdictOf(told({ kind: 'bounce', class: 'mailbox-full' }), false)).toBe('mailbox-full')
    for (const one of ['blocked', 'too-large', 'no word of ours', undefined]) expect(verdictOf(told({ kind: 'bounce', class: one }), false)).toBeNull()
    expect(verdictOf(told({ class: 'unknown-user' }), false)).toBeNull()
  })
})
