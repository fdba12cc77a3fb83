import { describe, expect, it } from 'vitest'
import { countComplaint, countResult, newPair, type Pair } from './breakers.ts'

const OK = { outcome: 'delivered', class: 'delivered' } as const
const UNKNOWN = { outcome: 'bounced', class: 'unknown-user' } as const
const FILTERED = { outcome: 'bounced', class: 'ambiguous-user' } as const
const SPAM = { outcome: 'bounced', class: 'content' } as const

function count(pair: Pair, results: readonly (typeof OK | typeof UNKNOWN | typeof FILTERED | typeof SPAM)[], unknownMax = 0.05) {
  let at = 0
  for (const result of results) {
    at++
    const tripped = countResult(pair, result, unknownMax)
    if (tripped) return { at, ...tripped }
  }
  return null
}
const every = (n: number, bad: typeof UNKNOWN | typeof FILTERED | typeof SPAM, length: number) =>
  Array.from({ length }, (_, at) => (at % n === n - 1 ? bad : OK))

describe('breakers', () => {
  it('say nothing before 200 results, however bad they are', () => {
    expect(count(newPair(), every(1, UNKNOWN, 199))).toBe(null)
    expect(count(newPair(), every(1, UNKNOWN, 500))).toMatchObject({
      at: 200,
      because: 'unknown-users',
      says: '200 of the last 200 results were unknown users (100.0 %, at most 5.0 %)',
    })
  })

  it("trip above 5 % unknown users, at carriers above 3 %, where the user's own filter counts as one", () => {
    expect(count(newPair(), every(20, UNKNOWN, 2_000))).toBe(null)
    expect(count(newPair(), every(25, FILTERED, 2_000))).toBe(null)
    expect(count(newPair(), every(25, FILTERED, 2_000), 0.03)).toMatchObject({ because: 'unknown-users' })
  })

  it('look at the last 500 only', () => {
    const pair = newPair()
    expect(count(pair, every(20, UNKNOWN, 10_000))).toBe(null)
    expect(count(pair, every(1, UNKNOWN, 500))?.at).toBeLessThan(30)
  })

  it('trip where policy refuses the mail', () => {
    expect(count(newPair(), every(10, SPAM, 500))).toMatchObject({ because: 'policy-blocks' })
  })

  it('take complaints from 1,000 delivered and 5 complaints on, at 0.3 %', () => {
    const few = { ...newPair(), delivered: 999 }
    for (let n = 0; n < 50; n++) expect(countComplaint(few)).toBe(null)
    const pair = { ...newPair(), delivered: 1_500 }
    expect([1, 2, 3, 4].map(() => countComplaint(pair))).toEqual([null, null, null, null])
    expect(countComplaint(pair)).toMatchObject({ because: 'complaints', says: '5 complaints about 1500 delivered mails (0.3 %, at most 0.3 %)' })
  })
})
