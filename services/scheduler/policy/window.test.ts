import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hoursOf, isZone } from './window.ts'

const tokyo = { from: '08:00', to: '21:00', tz: 'Asia/Tokyo' }
const at = (text: string) => Date.parse(text)

describe("a campaign's hours", () => {
  it('are open from … to in the zone, and say until when', () => {
    expect(hoursOf(tokyo, at('2026-12-01T09:00:00+09:00'))).toEqual({ kind: 'open', until: at('2026-12-01T21:00:00+09:00') })
    expect(hoursOf(tokyo, at('2026-12-01T21:00:00+09:00'))).toEqual({ kind: 'closed', until: at('2026-12-02T08:00:00+09:00') })
    expect(hoursOf(tokyo, at('2026-12-01T03:12:34+09:00'))).toEqual({ kind: 'closed', until: at('2026-12-01T08:00:00+09:00') })
  })

  it('may lie over midnight', () => {
    const night = { from: '22:00', to: '06:00', tz: 'Europe/Paris' }
    expect(hoursOf(night, at('2026-12-01T23:30:00+01:00'))).toEqual({ kind: 'open', until: at('2026-12-02T06:00:00+01:00') })
    expect(hoursOf(night, at('2026-12-01T12:00:00+01:00')).kind).toBe('closed')
  })

  it('follow the clock on the wall through summer time', () => {
    const paris = { from: '08:00', to: '21:00', tz: 'Europe/Paris' }
    expect(hoursOf(paris, at('2026-03-28T22:00:00+01:00'))).toEqual({ kind: 'closed', until: at('2026-03-29T08:00:00+02:00') })
    expect(hoursOf(paris, at('2026-10-24T22:00:00+02:00'))).toEqual({ kind: 'closed', until: at('2026-10-25T08:00:00+01:00') })
  })

  it('are open again when they said they would be', () => {
    const clock = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`)
    fc.assert(
      fc.property(
        clock,
        clock,
        fc.constantFrom('Asia/Tokyo', 'UTC', 'Asia/Kolkata'),
        fc.integer({ min: 1_760_000_000_000, max: 1_860_000_000_000 }),
        (from, to, tz, now) => {
          const hours = hoursOf({ from, to, tz }, now)
          if (hours.until === null) return
          expect(hours.until).toBeGreaterThan(now)
          expect(hours.until - now).toBeLessThanOrEqual(86_400_000)
          expect(hoursOf({ from, to, tz }, hours.until).kind).toBe(hours.kind === 'open' ? 'closed' : 'open')
        },
      ),
    )
  })

  it('need a zone that exists', () => {
    expect(isZone('Asia/Tokyo')).toBe(true)
    expect(isZone('Asia/Tokio')).toBe(false)
  })
})
