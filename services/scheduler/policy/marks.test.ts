import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Mark, markKey, Marks } from './marks.ts'

const mark = fc.oneof(
  fc.record({ kind: fc.constant('strikes' as const), count: fc.integer({ min: 1, max: 100 }), firstS: fc.nat(4_000_000_000), lastS: fc.nat(4_000_000_000) }),
  fc.record({ kind: fc.constant('held' as const), group: fc.integer({ min: 0, max: 32_767 }), sinceS: fc.nat(4_000_000_000) }),
)
/** few home places, so that runs form */
const key = fc.integer({ min: 1, max: 5_000 }).map((n) => (n % 40) + 1 + Math.floor(n / 40) * 0x1_0000_0000)

describe('marks', () => {
  it('are a map from address to mark, also from their packed form', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.option(mark)), { maxLength: 3_000 }), (steps) => {
        const marks = new Marks()
        const model = new Map<number, Mark>()
        for (const [at, what] of steps) {
          if (what === null) expect(marks.delete(at)).toBe(model.delete(at))
          else {
            marks.set(at, what)
            model.set(at, what)
          }
        }
        for (const each of [marks, Marks.restore(marks.packed())]) {
          expect(each.size).toBe(model.size)
          for (const [at] of steps) expect(each.get(at)).toEqual(model.get(at) ?? null)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('are never more than allowed; the oldest go', () => {
    const marks = new Marks(1_000)
    for (let n = 1; n <= 5_000; n++) marks.set(markKey('acme', `r${n}@example.jp`), { kind: 'strikes', count: 1, firstS: n, lastS: n })
    expect(marks.size).toBeLessThanOrEqual(1_000)
    expect(marks.get(markKey('acme', 'r5000@example.jp'))).not.toBe(null)
    expect(marks.get(markKey('acme', 'r1@example.jp'))).toBe(null)
  })

  it('keep tenants and addresses apart', () => {
    const keys = new Set<number>()
    for (let n = 0; n < 100_000; n++) keys.add(markKey(`t${n % 3}`, `user${Math.floor(n / 3)}@gmail.com`))
    expect(keys.size).toBe(100_000)
    expect([...keys].every(Number.isSafeInteger)).toBe(true)
  })
})
