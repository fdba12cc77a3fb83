import { describe, expect, it } from 'vitest'
import { Budget } from './budget.ts'

describe("what today's ramp leaves", () => {
  it('is never begun more often than there is left, and comes back unused', () => {
    const budget = new Budget(2)
    const turns = [{}, {}, {}] as const
    expect(turns.map((turn) => budget.begin(turn))).toEqual([true, true, false])
    budget.end(turns[0], 'unused')
    expect(budget.begin(turns[2])).toBe(true)
    for (const turn of turns.slice(1)) budget.end(turn, 'used')
    expect(budget.isLeft).toBe(false)
  })

  it('is less than its router says by what was done since the last report and what is under way', () => {
    const budget = new Budget(10)
    budget.begin({})
    budget.renew(3, 2)
    expect(budget.isLeft).toBe(false)
    budget.renew(4, 2)
    expect(budget.isLeft).toBe(true)
  })

  it('has no end where there is no ramp', () => {
    const budget = new Budget(null)
    expect(Array.from({ length: 100 }, () => budget.begin({})).every(Boolean)).toBe(true)
  })
})
