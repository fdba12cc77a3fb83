import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'

describe('the pace of a lease', () => {
  it('gives each caller a slot of its own', () => {
    const pace = new Pace(10)
    expect([pace.take(1_000).at, pace.take(1_000).at, pace.take(1_000).at]).toEqual([1_000, 1_100, 1_200])
  })

  it('moves slots that were taken when it was slow, the next ones with them', () => {
    const pace = new Pace(0.1)
    const slots = [0, 1, 2].map(() => pace.take(0))
    pace.change(10, 0)
    expect(slots.map(({ at }) => at)).toEqual([0, 100, 200])
    expect(pace.take(0).at).toBeCloseTo(300)
  })

  it('keeps nobody waiting for a slot of the moment in which next to nothing was lent', () => {
    const pace = new Pace(1e-14)
    pace.take(0)
    const slot = pace.take(0)
    pace.change(100, 250)
    expect(slot.at - 250).toBeLessThanOrEqual(10)
  })

  it('does not become faster by being told the same again and again', () => {
    const pace = new Pace(4)
    let sent = 0
    let renewed = 0
    for (let now = 0; now < 10_000; sent++) {
      for (; renewed <= now; renewed += 100) pace.change(4, renewed)
      now = Math.max(now, pace.take(now).at)
    }
    expect(sent).toBeLessThanOrEqual(41)
  })

  it('never lets more through than its paces add up to, whatever they change to', () => {
    const step = fc.record({
      perS: fc.double({ min: 0.01, max: 19, noNaN: true }),
      ms: fc.integer({ min: 1, max: 5_000 }),
      sessions: fc.integer({ min: 0, max: 20 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const pace = new Pace(1)
        let waiting: { at: number }[] = []
        let now = 0
        let sent = 0
        let allowed = 1
        for (const { perS, ms, sessions } of steps) {
          pace.change(perS, now)
          for (let session = 0; session < sessions; session++) waiting.push(pace.take(now))
          now += ms
          allowed += (perS * ms) / 1_000
          sent += waiting.filter(({ at }) => at <= now).length
          waiting = waiting.filter(({ at }) => at > now)
          expect(sent).toBeLessThanOrEqual(allowed + 1e-6)
        }
      }),
    )
  })
})
