import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Exchange, type Manner, type Step } from './exchange.ts'
import { codes, envelope } from './testing/client.ts'
import { verdictFor } from './transaction.ts'
import type { Reply } from './types.ts'

const pipelined: Manner = { pipelining: true, protocol: 'smtp', wasAhead: false, aheadProven: false }
const reply = (code: number): Reply => ({ code, enhanced: null, text: '' })

/** Plays codes into an exchange as the session would; the dot is written at once where a body is called for. */
function play(exchange: Exchange, ...replies: number[]): Step[] {
  return replies.map((code) => {
    const step = exchange.hear(reply(code))
    if (step === 'body') exchange.dotWritten()
    return step
  })
}
const exchange = (rcpts: number, manner: Partial<Manner> = {}) =>
  new Exchange(envelope({ rcpts: Array.from({ length: rcpts }, (_, i) => `r${i}@example.jp`) }), { ...pipelined, ...manner })
const told = (of: Exchange) => of.told({ lost: null, ms: 0, usable: true })

describe('with PIPELINING', () => {
  test.each<[string, number, number[], Step]>([
    ['everything accepted', 1, [250, 250, 354, 250], 'done'],
    ['the body refused', 1, [250, 250, 354, 550], 'done'],
    ['one of two refused', 2, [250, 550, 250, 354, 250], 'done'],
    ['every RCPT refused, DATA too', 2, [250, 550, 451, 554], 'reset'],
    ['every RCPT refused, and yet 354', 2, [250, 550, 451, 354], 'lone-dot'],
    ['DATA refused', 1, [250, 250, 451], 'reset'],
    ['MAIL refused, 503 for the rest', 1, [451, 503, 503], 'done'],
    ['MAIL refused, RCPT accepted all the same', 1, [451, 250, 503], 'reset'],
    ['MAIL refused, and yet 354', 1, [451, 503, 354], 'cut'],
    ['MAIL refused, RCPT accepted, 354', 1, [451, 250, 354], 'cut'],
    ['DATA answered with 250', 1, [250, 250, 250], 'cut'],
  ])('%s', (_, rcpts, replies, last) => {
    expect(play(exchange(rcpts), ...replies).at(-1)).toBe(last)
  })
})

test('without PIPELINING each command waits for the reply before, and DATA is said only to some recipient', () => {
  const manner = { pipelining: false }
  expect(play(exchange(2, manner), 250, 550, 250, 354, 250)).toEqual(['rcpt', 'rcpt', 'data', 'body', 'done'])
  expect(play(exchange(2, manner), 250, 550, 550)).toEqual(['rcpt', 'rcpt', 'reset'])
  expect(play(exchange(2, manner), 550)).toEqual(['done'])
})

describe('LMTP', () => {
  test('answers the dot once per accepted recipient, and each has its own verdict', () => {
    const lmtp = exchange(3, { protocol: 'lmtp' })
    expect(play(lmtp, 250, 250, 550, 250, 354, 250, 452)).toEqual(['wait', 'wait', 'wait', 'wait', 'body', 'wait', 'done'])
    expect([0, 1, 2].map((i) => verdictFor(told(lmtp), i))).toEqual([
      { stage: 'dot', reply: reply(250) },
      { stage: 'rcpt', reply: reply(550) },
      { stage: 'dot', reply: reply(452) },
    ])
  })

  test('354 without a recipient is left by closing, since no reply to a lone dot would come', () => {
    expect(play(exchange(1, { protocol: 'lmtp' }), 250, 550, 354).at(-1)).toBe('cut')
  })
})

test('an early refusal is believed, an early success is not', () => {
  const refused = exchange(1)
  for (const code of [250, 250, 354]) refused.hear(reply(code))
  expect(refused.hear(reply(552))).toBe('cut')
  expect(codes(told(refused))).toBe('250 | 250 | 354 | 552')
  const accepted = exchange(1)
  for (const code of [250, 250, 354]) accepted.hear(reply(code))
  expect(accepted.hear(reply(250))).toBe('cut')
  expect(codes(told(accepted))).toBe('250 | 250 | 354 | -')
})

describe('an envelope ahead', () => {
  const ahead = (aheadProven: boolean) => exchange(1, { wasAhead: true, aheadProven })

  test('that is the first and is refused is cut at once and charged to nobody', () => {
    const first = ahead(false)
    expect(play(first, 503)).toEqual(['cut'])
    expect(told(first).aheadRefused).toBe(true)
  })

  test('that is the first: a refused RCPT charges nobody either; later it is the recipient', () => {
    const [first, later] = [ahead(false), ahead(true)]
    play(first, 250, 550, 554)
    play(later, 250, 550, 554)
    expect([told(first).aheadRefused, told(later).aheadRefused]).toEqual([true, false])
  })

  test('that went well is no refusal, whatever the body then meets', () => {
    const first = ahead(false)
    play(first, 250, 250, 354, 550)
    expect(told(first).aheadRefused).toBe(false)
  })

  test('later: only 503 to its MAIL says that the peer has had enough of it', () => {
    const [no, yes] = [ahead(true), ahead(true)]
    play(no, 451, 503, 503)
    play(yes, 503, 503, 503)
    expect([told(no).aheadRefused, told(yes).aheadRefused]).toEqual([false, true])
  })
})

test('whatever a peer answers: no body without its 354 and a recipient, no lone dot after an accepted RCPT, delivered only by the dot', () => {
  const code = fc.constantFrom(250, 251, 354, 421, 450, 451, 452, 503, 550, 554)
  fc.assert(
    fc.property(
      fc.record({ pipelining: fc.boolean(), protocol: fc.constantFrom('smtp' as const, 'lmtp' as const), wasAhead: fc.boolean(), aheadProven: fc.boolean() }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(code, { minLength: 1, maxLength: 14 }),
      (manner, rcpts, replies) => {
        const subject = exchange(rcpts, manner)
        let dots = 0
        for (const each of replies) {
          const step = subject.hear(reply(each))
          const positive = subject.rcpts.some((rcpt) => rcpt !== null && rcpt.code < 300)
          if (step === 'body') {
            expect(each).toBe(354)
            expect(positive && (subject.mail?.code ?? 0) < 300).toBe(true)
            subject.dotWritten()
            dots += 1
          }
          if (step === 'lone-dot') expect(positive).toBe(false)
          if (step !== 'wait' && step !== 'rcpt' && step !== 'data' && step !== 'body') break
        }
        expect(dots).toBeLessThanOrEqual(1)
        for (let i = 0; i < rcpts; i++) {
          const { stage, reply: verdict } = verdictFor(told(subject), i)
          if (verdict !== null && verdict.code < 300) {
            expect([stage, dots]).toEqual(['dot', 1])
            expect(subject.rcpts[i]?.code).toBeLessThan(300)
          }
        }
      },
    ),
    { numRuns: 1_000 },
  )
})
