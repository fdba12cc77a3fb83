import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SiteBrake } from './brake.ts'

const PACE = { settleMs: 30_000, holdMs: 86_400_000 }

/** Feeds results one a second and asks about every unknown user after each; what became of each, by index. */
function run(results: readonly boolean[], asking: (brake: SiteBrake) => number = () => 1_000) {
  const brake = new SiteBrake()
  const waiting = new Map<number, number>()
  const became = new Map<number, 'write' | 'hold'>()
  let now = 0
  for (const isUnknown of results) {
    if (isUnknown) waiting.set(brake.results.total, now)
    brake.add(isUnknown, now)
    for (const [index, at] of waiting) {
      const decision = brake.decide(index, at, now, PACE)
      if (decision === 'wait') continue
      became.set(index, decision)
      waiting.delete(index)
    }
    now += asking(brake)
  }
  return { brake, became, waiting }
}

const times = (count: number, isUnknown: boolean) => Array.from({ length: count }, () => isUnknown)
const written = (became: ReadonlyMap<number, string>) => [...became.values()].filter((what) => what === 'write').length

describe('the brake', () => {
  it('writes nothing when a site suddenly says unknown user to everybody, neither before it is pulled nor after', () => {
    const { brake, became } = run([...times(1_000, false), ...times(400, true)], () => 5)
    expect(brake.pulledAt).not.toBe(null)
    expect(written(became)).toBe(0)
    expect(became.size).toBe(400)
  })

  it('writes nothing when the first results of a site are all unknown', () => {
    const { became } = run(times(300, true), () => 5)
    expect(written(became)).toBe(0)
  })

  it('writes nothing when everybody is unknown and mail trickles', () => {
    const { became } = run([...times(50, false), ...times(30, true)], () => 2_000)
    expect(written(became)).toBe(0)
  })

  it('believes single ones among deliveries, and one alone after a while', () => {
    const sane = run(Array.from({ length: 600 }, (_, at) => at % 50 === 0))
    expect(written(sane.became)).toBeGreaterThanOrEqual(11)
    expect([...sane.became.values()]).not.toContain('hold')
    const brake = new SiteBrake()
    brake.add(true, 0)
    expect(brake.decide(0, 0, 29_000, PACE)).toBe('wait')
    expect(brake.decide(0, 0, 30_000, PACE)).toBe('write')
    brake.add(false, 0)
    expect(brake.decide(0, 0, 3_000, PACE)).toBe('write')
  })

  it('is not pulled where many unknown users are usual: three times of it is the measure', () => {
    const old = Array.from({ length: 3_000 }, (_, at) => at % 20 === 0) // 5 %
    const worse = Array.from({ length: 200 }, (_, at) => at % 8 === 0) // 12.5 %
    expect(run([...old, ...worse], () => 5).brake.pulledAt).toBe(null)
    expect(run([...times(3_000, false), ...worse], () => 5).brake.pulledAt).not.toBe(null)
  })

  it('is let go when the site is itself again, and does not take the bad time for the usual', () => {
    const { brake } = run([...times(1_000, false), ...times(100, true), ...times(400, false)], () => 5)
    expect(brake.pulledAt).toBe(null)
    expect(brake.usual).toBeLessThan(0.05)
  })

  it('holds after a day what stood among its like and was never cleared up', () => {
    const brake = new SiteBrake()
    for (let n = 0; n < 5; n++) brake.add(true, 0)
    expect(brake.decide(0, 0, 60_000, PACE)).toBe('wait')
    expect(brake.decide(0, 0, PACE.holdMs, PACE)).toBe('hold')
  })

  it('never leaves a verdict undecided behind a full window, and writes none while it is pulled', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.constantFrom(0, 0.02, 0.15, 1)), { minLength: 1, maxLength: 8 }), fc.integer(), (stretches, seed) => {
        let state = seed >>> 0
        const dice = () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          return state / 2 ** 32
        }
        const { brake, waiting } = run(
          stretches.flatMap(([length, share]) => Array.from({ length }, () => dice() < share)),
          () => 5,
        )
        for (const [index] of waiting) expect(brake.results.total - index - 1).toBeLessThan(200)
      }),
      { numRuns: 50 },
    )
  })
})
