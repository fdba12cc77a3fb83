import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_RAMP, WarmupConfig } from '../../../protocol/warmup-config.ts'
import { advanceRamp, countRamp, firstStep, halfOfBest, rampLeft, rampRoomAt } from './ramp.ts'

const T0 = Date.UTC(2026, 10, 24)
const MIN = 60_000
const HOUR = 60 * MIN
const DAY = 24 * HOUR
const first = () => firstStep(DEFAULT_RAMP, null, T0)

describe('a warm-up', () => {
  test("starts at the row's hourly number, which is the hour's cap", () => {
    expect(rampLeft(firstStep(DEFAULT_RAMP, 100, T0), T0)).toBe(100)
    expect(first()).toMatchObject({ day: 1, limit: 500 })
  })

  test('advances after a day that used at least half of its step', () => {
    expect(advanceRamp(countRamp(first(), 250, 0, T0 + HOUR), DEFAULT_RAMP, T0 + DAY - 1)).toBeNull()
    expect(advanceRamp(countRamp(first(), 250, 1, T0 + HOUR), DEFAULT_RAMP, T0 + DAY)).toMatchObject({ day: 2, limit: 750 })
    expect(advanceRamp(countRamp(first(), 249, 0, T0 + HOUR), DEFAULT_RAMP, T0 + DAY)).toMatchObject({ day: 1, limit: 500, sent: 0 })
  })

  test('is held by more than half a percent of blaming deferrals', () => {
    expect(advanceRamp(countRamp(first(), 400, 3, T0), DEFAULT_RAMP, T0 + DAY)).toMatchObject({ day: 1, limit: 500 })
    expect(advanceRamp(countRamp(first(), 400, 2, T0), DEFAULT_RAMP, T0 + DAY)).toMatchObject({ day: 2 })
  })

  test('begins again at half of the best day, never below the first step', () => {
    expect(halfOfBest(40_000, DEFAULT_RAMP, null, T0).limit).toBe(20_000)
    expect(halfOfBest(10, DEFAULT_RAMP, null, T0).limit).toBe(500)
  })

  test('[warmup] has defaults and bounds', () => {
    expect(WarmupConfig.parse({})).toEqual({ start: 500, factor: 1.5, full: 250_000, idle: 30 * DAY, from_start: 5_000, from_factor: 2 })
    expect(WarmupConfig.safeParse({ factor: 1 }).success).toBe(false)
    expect(WarmupConfig.safeParse({ speed: 2 }).success).toBe(false)
  })

  test('whoever takes all that is left never exceeds the day or 15 % in any hour, and is told truly when there is room', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 3 * HOUR }), share: fc.double({ min: 0, max: 1, noNaN: true }) }), {
          minLength: 1,
          maxLength: 120,
        }),
        (takes) => {
          let ramp = first()
          let now = T0
          const log: { at: number; n: number }[] = []
          for (const { afterMs, share } of takes) {
            now += afterMs
            const room = rampRoomAt(ramp, now)
            if (room > now) expect(rampLeft(ramp, room)).toBeGreaterThan(0)
            const n = Math.ceil(rampLeft(ramp, now) * share)
            ramp = countRamp(ramp, n, 0, now)
            log.push({ at: now, n })
            const within = (ms: number) => log.reduce((sum, one) => (one.at > now - ms ? sum + one.n : sum), 0)
            expect(within(DAY)).toBeLessThanOrEqual(500)
            expect(within(HOUR)).toBeLessThanOrEqual(75)
          }
          expect(ramp.slots.length).toBeLessThanOrEqual(145)
        },
      ),
    )
  })
})
