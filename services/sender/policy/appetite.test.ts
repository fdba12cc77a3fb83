import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Appetite, firstAppetite, isCrowded, nextAppetite, offered } from './appetite.ts'

type Around = Parameters<typeof nextAppetite>[1]
const turns = (count: number, appetite: Appetite, around: (sessions: number) => Around): Appetite =>
  count === 0 ? appetite : turns(count - 1, nextAppetite(appetite, around(appetite.sessions)), around)
const spent = (lent: number) => () => ({ lent, busy: 1, most: 1_000 })

describe('how many sessions a sender asks for', () => {
  it('is all it may hold at first, and a burst of two seconds and a half changes nothing', () => {
    expect(turns(5, firstAppetite(1_000), spent(1_000)).sessions).toBe(1_000)
  })

  it('falls to what can be served while the CPU stays spent, and no further than a few large sites use', () => {
    expect(nextAppetite({ sessions: 1_000, busy: 1 }, { lent: 500, busy: 1, most: 1_000 }).sessions).toBe(400) // what is lent counts, not what was once believed
    expect(turns(12, firstAppetite(1_000), spent(1_000)).sessions).toBeLessThan(400)
    expect(turns(40, firstAppetite(1_000), spent(1_000)).sessions).toBe(128)
  })

  it('falls and grows by each half second once it asks for less', () => {
    expect(nextAppetite({ sessions: 500, busy: 0.2 }, { lent: 500, busy: 0.95, most: 1_000 }).sessions).toBe(400)
    expect(nextAppetite({ sessions: 500, busy: 0.99 }, { lent: 500, busy: 0.6, most: 1_000 }).sessions).toBe(750)
  })

  it('grows while they are used and the CPU has time, within seconds to all it may hold', () => {
    expect(turns(7, { sessions: 64, busy: 0.5 }, (sessions) => ({ lent: Math.floor(sessions), busy: 0.5, most: 1_000 })).sessions).toBe(1_000)
  })

  it('stays while nobody uses it up: an idle sender has proven nothing', () => {
    expect(turns(20, { sessions: 64, busy: 0 }, () => ({ lent: 3, busy: 0, most: 1_000 })).sessions).toBe(64)
  })

  it('is never more than it may hold', () => {
    const around = fc.record({ lent: fc.nat(2_000), busy: fc.double({ min: 0, max: 1, noNaN: true }), most: fc.integer({ min: 1, max: 2_000 }) })
    const appetite = fc.record({ sessions: fc.integer({ min: 1, max: 5_000 }), busy: fc.double({ min: 0, max: 1, noNaN: true }) })
    fc.assert(fc.property(appetite, around, (before, each) => nextAppetite(before, each).sessions <= each.most))
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
