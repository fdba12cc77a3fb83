import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_RETRY, nextTry, type Try } from './retry.ts'
import { BLAMES, type Blame, KINDS, LANES, type Lane, REPLY_CLASSES, type ReplyClass } from './words.ts'

const NOW = Date.UTC(2026, 10, 24, 9)
const MIN = 60_000
const HOUR = 60 * MIN
const DAY = 24 * HOUR

function tried(over: Partial<Try>): Try {
  return {
    attempt: 0,
    chargedTries: 0,
    refusals: 0,
    permanent: false,
    class: 'unmatched',
    blames: 'recipient',
    kind: 'notice',
    lane: 'bulk',
    ip: '203.0.113.7',
    retryAfterMs: null,
    expiresAt: NOW + 7 * DAY,
    now: NOW,
    dice: () => 0.5,
    policy: DEFAULT_RETRY,
    ...over,
  }
}

/** Minutes waited after the first, second, … failure for one and the same reason. */
function waits(over: Partial<Try>, count: number): readonly number[] {
  return Array.from({ length: count }, (_, attempt) => {
    const charged = nextTry(tried({ ...over, attempt, chargedTries: attempt }))
    if (charged.kind === 'give-up') throw new Error(`gave up: ${charged.outcome}`)
    const next = charged.charged ? charged : nextTry(tried({ ...over, attempt, chargedTries: 0 }))
    if (next.kind === 'give-up') throw new Error(`gave up: ${next.outcome}`)
    return (next.notBefore - NOW) / MIN
  })
}

type Row = readonly [why: string, ReplyClass, Blame, Lane, minutes: readonly number[], charged: boolean, from: 'hard' | 'soft' | 'any']

// delivery.md §4, a row each.
const TABLE: readonly Row[] = [
  ['greylisted', 'greylisted', 'nobody', 'bulk', [5, 10, 20, 40, 60, 60], true, 'hard'],
  ['greylisted, urgent', 'greylisted', 'nobody', 'urgent', [5, 10, 20, 40, 60], true, 'hard'],
  ['mailbox full', 'mailbox-full', 'recipient', 'bulk', [240, 480, 480], true, 'any'],
  ["the recipient's own rate", 'recipient-rate', 'recipient', 'bulk', [30, 60, 120, 240, 240], true, 'any'],
  ['site busy', 'site-busy', 'site', 'bulk', [0.5, 1, 2, 5, 5], false, 'soft'],
  ['too many connections', 'too-many-connections', 'site', 'bulk', [0.5, 1, 2, 5], false, 'soft'],
  ['the site rests', 'resting', 'site', 'bulk', [0.5, 1, 2, 5], false, 'soft'],
  ['source blamed (rate)', 'rate', 'source', 'bulk', [1, 5, 15, 30, 30], false, 'soft'],
  ['source blamed (reputation)', 'reputation', 'source', 'bulk', [1, 5, 15, 30], false, 'soft'],
  ['sender blamed', 'authentication', 'sender', 'bulk', [15, 30, 60, 60], false, 'any'],
  ['connect failed', 'unreachable', 'host', 'bulk', [1, 5, 15, 30, 30], false, 'any'],
  ['TLS broken', 'tls', 'host', 'bulk', [1, 5, 15, 30], false, 'any'],
  ['bad greeting', 'bad-greeting', 'host', 'bulk', [1, 5, 15, 30], false, 'any'],
  ['SERVFAIL, DNS time-out', 'dns', 'domain', 'bulk', [5, 15, 30, 60, 60], false, 'any'],
  ['any other 4xx, bulk', 'unmatched', 'recipient', 'bulk', [15, 30, 60, 120, 240, 240], true, 'any'],
  ['any other 4xx, urgent', 'unmatched', 'recipient', 'urgent', [1, 2, 5, 10, 15, 15], true, 'any'],
  ['any other 4xx, content', 'content', 'content', 'bulk', [15, 30, 60], true, 'any'],
  ['no reply to the dot', 'lost-dot', 'nobody', 'urgent', [1, 2, 5], true, 'any'],
  ['the lease ended first', 'lease-end', 'nobody', 'bulk', [1 / 60, 1 / 60, 2 / 60, 5 / 60, 15 / 60, 1, 1], false, 'any'],
  ['the envelope was full', 'too-many-recipients', 'nobody', 'bulk', [1 / 60], false, 'any'],
]

describe('the retry table', () => {
  test.each(TABLE)('%s', (_, replyClass, blames, lane, minutes, charged, from) => {
    expect(waits({ class: replyClass, blames, lane }, minutes.length)).toEqual(minutes)
    const next = nextTry(tried({ class: replyClass, blames, lane }))
    const stick = from === 'any' ? null : { ip: '203.0.113.7', hardUntil: from === 'hard' ? NOW + 6 * HOUR : 0 }
    expect(next).toMatchObject({ kind: 'retry', charged, stick })
  })

  test('a time that the reply names replaces the first wait and is never cut short', () => {
    for (const dice of [0, 0.5, 0.999]) {
      const next = nextTry(tried({ class: 'greylisted', blames: 'nobody', retryAfterMs: 3 * MIN, dice: () => dice }))
      expect(next.kind === 'retry' && (next.notBefore - NOW) / MIN).toBeGreaterThanOrEqual(3)
      expect(next.kind === 'retry' && (next.notBefore - NOW) / MIN).toBeLessThanOrEqual(3.3)
    }
  })

  test('greylisting pins a recipient for six hours from the first time, then lets it go', () => {
    const stick = { ip: '203.0.113.7', hardUntil: NOW + HOUR }
    expect(nextTry(tried({ class: 'greylisted', blames: 'nobody', stick }))).toMatchObject({ stick })
    const other = { ip: '203.0.113.9', hardUntil: NOW + HOUR }
    expect(nextTry(tried({ class: 'greylisted', blames: 'nobody', stick: other }))).toMatchObject({ stick: { ip: '203.0.113.7', hardUntil: NOW + 6 * HOUR } })
  })
})

describe('giving up', () => {
  test.each(['source', 'site', 'host', 'sender'] as const)('a 5xx that blames the %s gets three tries, then is bounced as blocked', (blames) => {
    const refused = (refusals: number, attempt: number) => nextTry(tried({ class: 'reputation', blames, permanent: true, refusals, attempt }))
    expect(refused(0, 0)).toMatchObject({ kind: 'retry', charged: false })
    expect(refused(1, 7)).toMatchObject({ kind: 'retry', charged: false })
    expect(refused(2, 8)).toEqual({ kind: 'give-up', outcome: 'bounced', class: 'blocked' })
  })

  test('a refusal that cannot be tried again before the deadline is bounced as blocked, a deferral expires', () => {
    const expiresAt = NOW + 30_000
    expect(nextTry(tried({ class: 'reputation', blames: 'source', permanent: true, expiresAt }))).toEqual({
      kind: 'give-up',
      outcome: 'bounced',
      class: 'blocked',
    })
    expect(nextTry(tried({ class: 'reputation', blames: 'source', expiresAt }))).toEqual({ kind: 'give-up', outcome: 'expired', class: 'reputation' })
  })

  test('uncharged tries end with the deadline only', () => {
    expect(nextTry(tried({ class: 'site-busy', blames: 'site', attempt: 5_000, chargedTries: 0 }))).toMatchObject({ kind: 'retry', charged: false })
  })

  test('charged tries end with their number', () => {
    expect(nextTry(tried({ attempt: 60, chargedTries: DEFAULT_RETRY.maxCharged - 1 }))).toMatchObject({ kind: 'give-up', outcome: 'bounced' })
  })
})

describe('whatever happens', () => {
  const anyTry = fc.record({
    attempt: fc.nat(200),
    chargedTries: fc.nat(60),
    refusals: fc.nat(4),
    permanent: fc.boolean(),
    class: fc.constantFrom(...REPLY_CLASSES),
    blames: fc.constantFrom(...BLAMES),
    kind: fc.constantFrom(...KINDS),
    lane: fc.constantFrom(...LANES),
    ip: fc.constantFrom('203.0.113.7', null),
    retryAfterMs: fc.option(fc.integer({ min: MIN, max: HOUR })),
    lifeMs: fc.integer({ min: -HOUR, max: 7 * DAY }),
    roll: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  })
  const asTry = (given: { lifeMs: number; roll: number } & Partial<Try>): Try => tried({ ...given, expiresAt: NOW + given.lifeMs, dice: () => given.roll })

  test('no retry lies at or after the deadline, nor in the past', () => {
    fc.assert(
      fc.property(anyTry, (given) => {
        const next = nextTry(asTry(given))
        if (next.kind !== 'retry') return
        expect(next.notBefore).toBeGreaterThan(NOW)
        expect(next.notBefore).toBeLessThan(NOW + given.lifeMs)
      }),
    )
  })

  test('jitter stays within a tenth', () => {
    fc.assert(
      fc.property(anyTry, (given) => {
        const swung = nextTry(asTry({ ...given, lifeMs: 7 * DAY }))
        const calm = nextTry(asTry({ ...given, lifeMs: 7 * DAY, roll: given.retryAfterMs === null ? 0.5 : 0 }))
        if (swung.kind !== 'retry' || calm.kind !== 'retry') return
        expect(Math.abs((swung.notBefore - NOW) / (calm.notBefore - NOW) - 1)).toBeLessThanOrEqual(0.1001)
      }),
    )
  })

  test('a later failure for the same reason never waits less', () => {
    fc.assert(
      fc.property(anyTry, (given) => {
        const at = (tries: number) => nextTry(asTry({ ...given, retryAfterMs: null, lifeMs: 7 * DAY, roll: 0.5, attempt: 2 * tries, chargedTries: tries }))
        const sooner = at(given.chargedTries)
        const later = at(given.chargedTries + 1)
        if (sooner.kind === 'retry' && later.kind === 'retry') expect(later.notBefore).toBeGreaterThanOrEqual(sooner.notBefore)
      }),
    )
  })
})
