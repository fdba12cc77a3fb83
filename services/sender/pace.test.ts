import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'

describe('the pace of a lease', () => {
  it('gives each caller a slot of its own', () => {
    const pace = new Pace(10)
    expect([pace.take(1_000), pace.take(1_000), pace.take(1_000)]).toEqual([0, 100, 200])
  })

  it('is not held up by slots that were reserved when it was slow', () => {
    const pace = new Pace(0.1)
    for (let session = 0; session < 5; session++) pace.take(0) // the next slot is 50 s ahead
    pace.change(10, 0)
    expect(pace.take(0)).toBeCloseTo(500)
    expect(pace.take(0)).toBeCloseTo(600)
  })

  it('does not become faster by being told the same again and again', () => {
    const pace = new Pace(4)
    let sent = 0
    let renewed = 0
    for (let now = 0; now < 10_000; sent++) {
      for (; renewed <= now; renewed += 100) pace.change(4, renewed)
      now += pace.take(now)
    }
    expect(sent).toBeLessThanOrEqual(41)
  })
})
