import { describe, expect, it } from 'vitest'
import { Desk } from './desk.testkit.ts'
import { wanted } from './want.ts'

/** A shard that holds orders for forty sites and was allowed nothing yet. */
function holding(sessionsFree: number): Desk {
  const desk = new Desk({ senders: { s1: sessionsFree } })
  desk.arrive(...Array.from({ length: 40 }, (_, at) => desk.order({ site: `d${at}.example`, count: 5 })))
  return desk
}

describe('a shard that cannot place what it holds', () => {
  it('takes some more at each look, since what comes behind may be for a site that can', () => {
    const desk = holding(50)
    expect([wanted(desk.shard, 'bulk', 'now', desk.mono), wanted(desk.shard, 'bulk', 'look', desk.mono)]).toEqual([0, 16])
  })

  it('leaves the others in the stream while no sender has room: each would be kept alive and asked about here', () => {
    const desk = holding(0)
    expect([wanted(desk.shard, 'bulk', 'now', desk.mono), wanted(desk.shard, 'bulk', 'look', desk.mono)]).toEqual([0, 1])
    expect(wanted(desk.shard, 'urgent', 'now', desk.mono)).toBeGreaterThan(1) // the other lane is not full
  })

  it('takes few ahead then: a tail has a thousand sites that would wait here', () => {
    expect([ahead(1, 50), ahead(1, 0)]).toEqual([31, 3])
  })

  it('does so too while what a sender has free is waited for', () => {
    const desk = holding(3)
    desk.allow()
    expect(desk.accept()).toHaveLength(3)
    desk.pass(250) // its next word tells of three again, and there are dozens who wait for them
    desk.accept()
    expect(wanted(desk.shard, 'bulk', 'look', desk.mono)).toBe(1)
  })
})

describe('what comes behind', () => {
  it('is asked for by halves as orders come and go, and to the full at each look', () => {
    expect([ahead(15, 50), ahead(16, 50), ahead(16, 50, 'look')]).toEqual([17, 0, 16])
  })
})

/** Asked for by a shard at which so many sites wait. */
function ahead(sites: number, sessionsFree: number, when: 'now' | 'look' = 'now'): number {
  const desk = new Desk({ senders: { s1: sessionsFree } })
  desk.arrive(...Array.from({ length: sites }, (_, at) => desk.order({ site: `d${at}.example`, count: 5 })))
  return wanted(desk.shard, 'bulk', when, desk.mono)
}
