import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIRST_APPETITE, isCrowded, nextAppetite, offered } from './appetite.ts'

const turns = (count: number, from: number, around: Parameters<typeof nextAppetite>[1]) => {
  let appetite = from
  for (let turn = 0; turn < count; turn++) appetite = nextAppetite(appetite, around)
  return appetite
}

describe('how many sessions a sender asks for', () => {
  it('grows while they are used and the CPU has time, within seconds to all it may hold', () => {
    let appetite = FIRST_APPETITE
    for (let turn = 0; turn < 6; turn++) appetite = nextAppetite(appetite, { lent: Math.floor(appetite), busy: 0.5, most: 1_000 })
    expect(appetite).toBe(1_000)
  })

  it('falls to what can be served while the CPU is spent, and no further than peers next door need', () => {
    expect(nextAppetite(1_000, { lent: 500, busy: 1, most: 1_000 })).toBe(400) // what is lent counts, not what was once believed
    expect(turns(20, 1_000, { lent: 1_000, busy: 1, most: 1_000 })).toBe(64)
  })

  it('stays while nobody uses it up: an idle sender has proven nothing', () => {
    expect(turns(20, FIRST_APPETITE, { lent: 3, busy: 0, most: 1_000 })).toBe(FIRST_APPETITE)
  })

  it('is never more than it may hold', () => {
    const around = fc.record({ lent: fc.nat(2_000), busy: fc.double({ min: 0, max: 1, noNaN: true }), most: fc.integer({ min: 1, max: 2_000 }) })
    fc.assert(fc.property(fc.integer({ min: 1, max: 5_000 }), around, (appetite, each) => nextAppetite(appetite, each) <= each.most))
  })
})

describe('what routers are told of as free', () => {
  it('is what the appetite leaves, never more than there is, and never nothing while there is some', () => {
    expect(offered(900, 128, 100)).toBe(28)
    expect(offered(10, 1_000, 100)).toBe(10)
    expect(offered(500, 64, 500)).toBe(4)
    expect(offered(0, 64, 1_000)).toBe(0)
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(2_000), (free, appetite, lent) => {
        const offer = offered(free, appetite, lent)
        return offer <= free && (free === 0 || offer > 0)
      }),
    )
  })

  it('means a crowd where it is less than what is free, or nothing; a small sender with room is none', () => {
    expect(isCrowded(0, 0)).toBe(true)
    expect(isCrowded(500, 4)).toBe(true)
    expect(isCrowded(500, 28)).toBe(false)
    expect(isCrowded(3, 3)).toBe(false)
  })
})
