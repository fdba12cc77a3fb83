import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ReplyClass, REPLY_CLASSES } from '../../../protocol/words.ts'
import { DIAL_MAY_BECOME, HOLD_MS } from './dial.ts'
import { hear, openWindow, paceAllowed, type Rest, restOf, sessionsAllowed, type Told, type Window, type WindowLimits } from './window.ts'

const T0 = Date.UTC(2026, 10, 24)
const MIN = 60_000
const HOUR = 60 * MIN
const LIMITS: WindowLimits = { sessionsPerIp: { start: 2, max: 16 }, mailsPerSecond: 40, rest: { busyMs: 5 * MIN, sourceMs: 90 * MIN, failedConnects: 5 } }

const told = (delivered: number, classes: Partial<Record<ReplyClass, number>> = {}, rest: Told['rest'] = null): Told => ({ delivered, classes, rest })
const resting = (ms: number): Told => told(0, {}, { ms, because: 'site-busy' })

/** One (IP × site) on a clock of its own. */
class Watched {
  readonly row: WindowLimits
  window: Window
  now = T0
  constructor(row: WindowLimits = LIMITS) {
    this.row = row
    this.window = openWindow(row, T0)
  }
  after(ms: number, report: Told): Rest | null {
    this.now += ms
    const heard = hear(this.window, report, this.row, this.now)
    this.window = heard.window
    return heard.rest
  }
  /** Clean traffic at full pace. */
  clean(seconds: number): this {
    for (let n = 0; n < seconds; n++) this.after(1_000, told(50))
    return this
  }
  get sessions(): number {
    return sessionsAllowed(this.window, this.now)
  }
  get pace(): number {
    return paceAllowed(this.window, this.now)
  }
  get rest(): Rest | null {
    return restOf(this.window, this.now)
  }
}

describe('a window', () => {
  test('starts small and doubles per clean round to the limit', () => {
    const site = new Watched()
    const seen = [site.sessions]
    for (let n = 0; n < 5; n++) {
      site.after(1_000, told(20))
      seen.push(site.sessions)
    }
    expect(seen).toEqual([2, 4, 8, 16, 16, 16])
  })

  test('does not grow on what it has not tried: fewer mails than sessions prove nothing', () => {
    const site = new Watched()
    site.after(10_000, told(1))
    expect(site.sessions).toBe(2)
    site.after(1_000, told(1))
    expect(site.sessions).toBe(4)
  })

  test('halves once on a burst of "too many connections", holds a minute, then recovers gradually to the limit', () => {
    const site = new Watched().clean(5)
    for (let n = 0; n < 4; n++) site.after(250, told(1, { 'too-many-connections': 3 }))
    expect(site.sessions).toBe(8)
    expect(site.clean(58).sessions).toBe(8)
    const seen = new Set<number>()
    for (let n = 0; n < 180; n++) seen.add(site.clean(1).sessions)
    expect([...seen]).toEqual([8, 9, 11, 12, 14, 15, 16])
  })

  test('halves again when the half is too much as well, and rests when one session is too much', () => {
    const site = new Watched()
    site.after(10_000, told(0, { 'too-many-connections': 1 }))
    expect(site.sessions).toBe(1)
    const rest = site.after(10_000, told(0, { 'too-many-connections': 1 }))
    expect(rest).toEqual({ because: 'too-many-connections', until: site.now + 5 * MIN })
    expect([site.sessions, site.pace]).toEqual([0, 0])
  })

  test('lowers its pace on rate replies and leaves the sessions alone', () => {
    const site = new Watched().clean(5)
    site.after(250, told(3, { rate: 2 }))
    expect([site.pace, site.sessions]).toEqual([20, 16])
  })

  test('rests when connects fail in a row, and not when a mail goes through between', () => {
    const site = new Watched()
    for (let n = 0; n < 4; n++) site.after(250, told(0, { unreachable: 1 }))
    site.after(250, told(1))
    for (let n = 0; n < 4; n++) site.after(250, told(0, { unreachable: 1 }))
    expect(site.rest).toBeNull()
    expect(site.after(250, told(0, { unreachable: 1 }))).toMatchObject({ because: 'unreachable' })
  })

  test('begins again from one session after a rest', () => {
    const site = new Watched().clean(5)
    site.after(1_000, resting(MIN))
    site.after(MIN, told(0))
    expect([site.sessions, site.pace]).toEqual([1, 10])
    expect(site.clean(300).sessions).toBe(16)
  })

  test('doubles its rest on each return within a day, and forgets after a quiet one', () => {
    const site = new Watched()
    const lengths: number[] = []
    for (let n = 0; n < 4; n++) {
      const until = site.after(1_000, resting(2 * HOUR))?.until ?? site.now
      lengths.push((until - site.now) / HOUR)
      site.now = until
    }
    expect(lengths).toEqual([2, 4, 8, 16])
    const quiet = site.after(25 * HOUR, resting(2 * HOUR))
    expect(quiet?.until).toBe(site.now + 2 * HOUR)
  })

  test('a straggler during the rest may lengthen it but is no return', () => {
    const site = new Watched()
    site.after(0, resting(MIN))
    expect(site.after(250, resting(MIN))).toBeNull()
    expect(site.after(30_000, resting(HOUR))).toEqual({ because: 'site-busy', until: site.now + HOUR })
    expect(site.window.returns).toBe(0)
  })

  test('a lower limit from the fleet file holds at the next report', () => {
    const site = new Watched().clean(5)
    const less = hear(site.window, told(0), { ...LIMITS, sessionsPerIp: { start: 1, max: 3 } }, site.now)
    expect(sessionsAllowed(less.window, site.now)).toBe(3)
  })
})

describe('whatever is reported', () => {
  const steps = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 100, max: 10 * MIN }),
      delivered: fc.nat(100),
      classes: fc.dictionary(fc.constantFrom(...REPLY_CLASSES), fc.integer({ min: 1, max: 5 }), { maxKeys: 2 }),
      rest: fc.option(fc.record({ ms: fc.integer({ min: 1, max: 48 * HOUR }), because: fc.constant('site-busy' as const) }), { freq: 8 }),
    }),
    { maxLength: 60 },
  )
  const rows = fc.record({
    sessionsPerIp: fc.integer({ min: 1, max: 50 }).chain((max) => fc.integer({ min: 1, max }).map((start) => ({ start, max }))),
    mailsPerSecond: fc.double({ min: 0.01, max: 500, noNaN: true }),
    rest: fc.constant(LIMITS.rest),
  })

  test('never above the limits, never below one session or nothing, modes only as they may, rests at most a day', () => {
    fc.assert(
      fc.property(rows, steps, (row, all) => {
        const site = new Watched(row)
        for (const { afterMs, ...report } of all) {
          const was = site.window
          site.after(afterMs, report as Told)
          expect(site.sessions).toBeLessThanOrEqual(row.sessionsPerIp.max)
          expect(site.pace).toBeLessThanOrEqual(row.mailsPerSecond)
          if (site.rest) expect([site.sessions, site.pace]).toEqual([0, 0])
          else {
            expect(site.sessions).toBeGreaterThanOrEqual(1)
            expect(site.pace).toBeGreaterThan(0)
          }
          if (site.window.rest) expect(site.window.rest.until - site.now).toBeLessThanOrEqual(24 * HOUR)
          if (site.window.sessions.mode !== was.sessions.mode) expect(DIAL_MAY_BECOME[was.sessions.mode]).toContain(site.window.sessions.mode)
        }
      }),
    )
  })

  test('clean traffic brings every window back to its limit', () => {
    fc.assert(
      fc.property(rows, steps, (row, all) => {
        const site = new Watched(row)
        for (const { afterMs, ...report } of all) site.after(afterMs, report as Told)
        site.now = Math.max(site.now, site.window.rest?.until ?? 0) + HOLD_MS
        for (let n = 0; n < 60; n++) site.after(15_000, told(8_000))
        expect(site.sessions).toBe(row.sessionsPerIp.max)
        expect(site.pace).toBeCloseTo(row.mailsPerSecond)
      }),
      { numRuns: 50 },
    )
  })
})
