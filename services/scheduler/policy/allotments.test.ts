import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AllotmentBook, type AllotmentRules, type Claimant } from './allotments.ts'

const NOW = Date.UTC(2026, 10, 24, 9)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const GOOGLE = { site: 'google', provider: 'google' }
const YAHOO = { site: 'yahoo', provider: 'yahoo' }
const TAIL = { site: 'shop.example', provider: null }
const bulk: Claimant = { tenant: 'acme', pool: 'main', lane: 'bulk', from: 'acme.example' }
const urgent: Claimant = { ...bulk, lane: 'urgent' }
const rules = (more: Partial<AllotmentRules> = {}): AllotmentRules => ({
  tenant: () => ({}),
  share: () => null,
  fromPlan: () => ({ start: 0, factor: 2 }),
  ...more,
})

/** Releases as many batches of `size` as may go; how many recipients that were. */
function fill(book: AllotmentBook, who: Claimant, place: typeof GOOGLE | typeof TAIL, size: number, now: number, most = 1_000): number {
  let released = 0
  while (released < most * size && book.refusal(who, place, size, now) === null) {
    book.spend(who, place, size, now)
    released += size
  }
  return released
}

describe("a tenant's daily limit", () => {
  const limited = rules({ tenant: (name) => (name === 'acme' ? { daily_limit: 1_000 } : {}) })

  test('holds over all its sites and campaigns, for nobody else, and until the oldest of it is a day old', () => {
    const book = new AllotmentBook(limited)
    expect(fill(book, bulk, GOOGLE, 100, NOW)).toBe(1_000)
    expect(book.refusal(bulk, YAHOO, 1, NOW)).toEqual({ because: 'daily-limit', until: NOW + DAY_MS + HOUR_MS })
    expect(book.refusal({ ...bulk, tenant: 'rival' }, GOOGLE, 100, NOW)).toBeNull()
    expect(book.refusal(bulk, GOOGLE, 100, NOW + DAY_MS + HOUR_MS)).toBeNull()
  })

  test('is kept over a restart', () => {
    const book = new AllotmentBook(limited)
    fill(book, bulk, GOOGLE, 100, NOW)
    const next = new AllotmentBook(limited, structuredClone(book.keep(NOW)))
    expect(next.refusal(bulk, GOOGLE, 1, NOW + HOUR_MS)).toMatchObject({ because: 'daily-limit' })
  })

  test('is never passed in any 24 hours (any releases at any times)', () => {
    const releases = fc.array(fc.record({ size: fc.integer({ min: 1, max: 100 }), afterMs: fc.integer({ min: 0, max: 3 * HOUR_MS }) }), { maxLength: 80 })
    fc.assert(
      fc.property(releases, (all) => {
        const book = new AllotmentBook(limited)
        const went: { at: number; size: number }[] = []
        let now = NOW
        for (const { size, afterMs } of all) {
          now += afterMs
          if (book.refusal(bulk, GOOGLE, size, now) !== null) continue
          book.spend(bulk, GOOGLE, size, now)
          went.push({ at: now, size })
        }
        for (const { at } of went)
          expect(went.filter((one) => one.at <= at && one.at > at - DAY_MS).reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(1_000)
      }),
    )
  })
})

describe('urgent mail', () => {
  test('goes at a bounded rate per tenant: a thousand a second, or as the fleet file says; bulk is not held by it', () => {
    const book = new AllotmentBook(rules({ tenant: (name) => (name === 'slow' ? { urgent_rate: 10 } : {}) }))
    const slow = { ...urgent, tenant: 'slow' }
    book.refusal(urgent, GOOGLE, 1, NOW) // both begin to earn
    book.refusal(slow, GOOGLE, 1, NOW)
    expect(fill(book, urgent, GOOGLE, 1, NOW + 60_000, 5_000)).toBe(1_000)
    expect(book.refusal(urgent, YAHOO, 1, NOW + 60_000)).toMatchObject({ because: 'urgent-rate' })
    expect(fill(book, slow, GOOGLE, 1, NOW + 60_000)).toBe(10)
    expect(book.refusal({ ...slow, lane: 'bulk' }, GOOGLE, 100, NOW + 60_000)).toBeNull()
    expect(fill(book, slow, GOOGLE, 1, NOW + 61_000)).toBe(10)
  })
})

describe('a From domain that a provider has never seen', () => {
  const ramping = rules({ fromPlan: () => ({ start: 5_000, factor: 2 }) })

  test('may send 5,000 there on its first day, twice as many on the next, and is known after ten', () => {
    const book = new AllotmentBook(ramping)
    expect(fill(book, bulk, GOOGLE, 100, NOW)).toBe(5_000)
    expect(book.refusal(bulk, GOOGLE, 100, NOW)).toEqual({ because: 'from-ramp', until: NOW + DAY_MS })
    expect(book.refusal(bulk, YAHOO, 100, NOW)).toBeNull()
    expect(book.refusal({ ...bulk, from: 'other.example' }, GOOGLE, 100, NOW)).toBeNull()
    expect(fill(book, bulk, GOOGLE, 100, NOW + DAY_MS + HOUR_MS)).toBe(10_000)
    for (let day = 2; day < 10; day++) fill(book, bulk, GOOGLE, 1, NOW + day * DAY_MS + HOUR_MS, 10)
    expect(fill(book, bulk, GOOGLE, 100, NOW + 11 * DAY_MS)).toBe(100_000)
  })

  test('is known to the tail from the start, and a stranger again after a month of silence', () => {
    const book = new AllotmentBook(ramping)
    expect(fill(book, bulk, TAIL, 100, NOW, 100)).toBe(10_000)
    for (let day = 0; day < 11; day++) fill(book, bulk, GOOGLE, 1, NOW + day * DAY_MS, 10)
    expect(book.refusal(bulk, GOOGLE, 100_000, NOW + 20 * DAY_MS)).toBeNull()
    expect(fill(new AllotmentBook(ramping, structuredClone(book.keep(NOW + 20 * DAY_MS))), bulk, GOOGLE, 100, NOW + 41 * DAY_MS)).toBe(5_000)
  })
})

test('a campaign goes at once only where all of it may', () => {
  const book = new AllotmentBook(rules({ tenant: () => ({ daily_limit: 150 }) }))
  const parts = [GOOGLE, YAHOO].map((place) => ({ ...place, recipients: { length: 100 } }))
  expect(book.admits(bulk, parts.slice(0, 1), NOW)).toBe(true)
  book.spend(bulk, GOOGLE, 10, NOW)
  expect(book.admits(bulk, parts, NOW)).toBe(false)
})

test('the reason that lasts longest is told', () => {
  const book = new AllotmentBook(rules({ tenant: () => ({ daily_limit: 10, urgent_rate: 1 }) }))
  book.spend(urgent, GOOGLE, 10, NOW)
  expect(book.refusal(urgent, GOOGLE, 1, NOW)).toMatchObject({ because: 'daily-limit' })
})
