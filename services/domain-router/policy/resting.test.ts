import { describe, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/messages/permission.ts'
import { Desk, SITE, WALL } from './desk.testkit.ts'

const TWO = [
  { address: '192.0.2.1', pool: 'p' },
  { address: '192.0.2.2', pool: 'p' },
]

describe('an order that cannot be sent now', () => {
  test('waits in the schedule when its pool has no source that lends, until it lends again', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(desk.order())
    desk.allow({ lends: false, because: 'reputation', until: WALL + desk.mono + 60_000 })
    const [parked] = desk.take('park')
    expect(parked).toMatchObject({ held: { seq: 1 }, because: 'reputation' })
    expect(parked?.at).toBeGreaterThanOrEqual(WALL + desk.mono + 60_000)
    expect(parked?.at).toBeLessThanOrEqual(WALL + desk.mono + 66_000)
  })

  test('keeps its reason while it waits in the schedule, although nobody asks about its source meanwhile', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(desk.order())
    const until = WALL + desk.mono + 200_000
    desk.allow({ lends: false, because: 'five coolings', until })
    expect(desk.take('park')).toHaveLength(1)
    desk.take('drain')
    for (let s = 0; s < 100; s++) desk.pass(1_000)
    const last = desk.take('drain').at(-1)?.drain.sites
    expect(last).toMatchObject([{ site: SITE, bulk: 0, resting: { because: 'five coolings', until } }])
    for (let s = 0; s < 130; s++) desk.pass(1_000)
    expect(desk.take('drain').at(-1)?.drain.sites).toEqual([])
  })

  test('does not wait for the end of a rest that is over sooner, nor is an answer from before believed', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow({ lends: false, because: 'reputation', until: WALL + desk.mono + 3_600_000 })
    expect(desk.take('park')).toHaveLength(1)
    const before = desk.mono - 1
    desk.tell({ on: 'sourceChanged', changed: { epoch: 1, ip: '192.0.2.1', site: null, lends: true, because: '', until: null } })
    desk.arrive(desk.order())
    desk.allow({ lends: false, because: 'reputation', until: WALL + desk.mono + 3_600_000 }, undefined, before)
    expect(desk.take('park')).toEqual([])
    desk.allow()
    expect(desk.accept()).toHaveLength(1)
  })

  test('is looked at every five minutes at most, however long the rest, and never after its deadline', () => {
    const desk = new Desk()
    desk.arrive(desk.order(), desk.order({ deadline: WALL + desk.mono + 100_000 }))
    desk.allow({ lends: false, because: 'reputation', until: WALL + 80_000_000 })
    const at = desk.take('park').map(({ at }) => (at ?? 0) - WALL - desk.mono)
    expect(at[0]).toBeGreaterThanOrEqual(300_000)
    expect(at[0]).toBeLessThanOrEqual(330_000)
    expect(at[1]).toBe(100_000)
  })

  test('stays here through a rest of two seconds', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow({ lends: false, because: 'demo', until: WALL + desk.mono + 1_900 })
    desk.pass(250)
    expect(desk.take('park')).toEqual([])
  })

  test('stays here when the rest has just ended and the ip-manager has not said so yet', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow({ lends: false, because: 'demo', until: WALL + desk.mono + 1_900 })
    desk.pass(1_950)
    expect(desk.take('park')).toEqual([])
    desk.allow()
    expect(desk.accept()).toHaveLength(1)
  })

  test('waits a minute when its pool has no source at all', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ pool: 'nobody' }))
    desk.tell({
      on: 'allowances',
      allowances: { epoch: 1, tick: desk.mono, ms: 4_000, allowances: [] },
      asked: [{ site: SITE, provider: null, pools: ['nobody'] }],
    })
    expect(desk.take('park')).toMatchObject([{ held: { seq: 1 }, because: 'resting' }])
    expect(desk.events()).toContainEqual(expect.objectContaining({ event: 'parked', because: 'no-source', pool: 'nobody' }))
  })

  test('goes to the scheduler at its deadline, and when its campaign is paused or cancelled', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ deadline: WALL + desk.mono + 400 }), desk.order({ campaign: 'c2' }), desk.order({ campaign: 'c3' }))
    desk.tell({ on: 'campaignHeld', held: { tenant: 'acme', campaign: 'c2', state: 'cancelled' } })
    desk.pass(500)
    desk.arrive(desk.order({ campaign: 'c2' }))
    expect(desk.take('park').map(({ held, at, because }) => [held.seq, at, because])).toEqual([
      [2, null, 'cancelled'],
      [1, null, 'deadline'],
      [4, null, 'resting'],
    ])
    desk.tell({ on: 'campaignHeld', held: { tenant: 'acme', campaign: 'c2', state: 'running' } })
    desk.arrive(desk.order({ campaign: 'c2' }))
    expect(desk.take('park')).toEqual([])
  })

  test('is kept alive at each third of ack_wait while it waits here, not when a sender has it', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ lane: 'urgent' }), desk.order())
    let urgent = 0
    let bulk = 0
    for (let ms = 0; ms < 15_000; ms += 250) {
      desk.pass(250)
      for (const { held } of desk.take('touch')) held.order.lane === 'urgent' ? urgent++ : bulk++
    }
    expect([urgent, bulk]).toEqual([11, 3])
    desk.allow()
    const [lease] = desk.accept()
    desk.take('touch')
    for (let s = 0; s < 5; s++) {
      desk.pass(1_000)
      desk.report(lease as Grant, { queued: 20 })
    }
    expect(desk.take('touch')).toEqual([])
  })

  test('gives way to others when a heap of its kind fills the place', () => {
    const desk = new Desk()
    desk.arrive(...Array.from({ length: 1_100 }, () => desk.order()))
    desk.arrive(desk.order({ site: 'other.example' }))
    desk.pass(250)
    const parked = desk.take('park')
    expect(parked.length).toBeGreaterThanOrEqual(300)
    expect(parked.every(({ held, because }) => held.order.site === SITE && because === 'site-busy')).toBe(true)
    expect(Math.min(...parked.map(({ held }) => held.seq))).toBeGreaterThan(500) // the newest
  })

  test('is handed back when the shard is given to another router', () => {
    const desk = new Desk()
    desk.arrive(desk.order(), desk.order())
    expect(desk.tell({ on: 'released' }).map(({ say }) => say)).toEqual(['park', 'park', 'save'])
    expect(desk.arrive(desk.order())).toEqual([])
  })
})

describe('a rest', () => {
  test('that a reply taught holds its source there, and the whole site when two sources heard the same', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(...Array.from({ length: 8 }, () => desk.order({ count: 100 })))
    desk.allow()
    const [first, second] = desk.accept()
    desk.report(first as never, { rest: { ms: 60_000, because: 'site-busy' }, lastReply: '421 4.3.2 busy' })
    expect(desk.shard.sites.get(SITE)?.rest).toBeNull()
    desk.report(second as never, { rest: { ms: 90_000, because: 'site-busy' }, lastReply: '421 4.3.2 busy' })
    expect(desk.shard.sites.get(SITE)?.rest).toMatchObject({ because: 'site-busy' })
    expect(desk.take('grant')).toEqual([])
    desk.pass(500)
    const drain = desk.take('drain').at(-1)?.drain
    expect(drain?.sites[0]?.resting).toMatchObject({ because: 'site-busy' })
    desk.tell({ on: 'statusAsked', site: SITE })
    expect(desk.take('answerStatus')[0]?.sites[0]).toMatchObject({
      site: SITE,
      owner: 'r1',
      epoch: 7,
      resting: { because: 'site-busy' },
      actions: expect.arrayContaining([expect.objectContaining({ action: 'rest', by: 'router: site-busy' })]),
      lastReplies: expect.arrayContaining([expect.objectContaining({ reply: '421 4.3.2 busy' })]),
    })
  })

  test('of one pool is told beside the site, which goes on for the others', () => {
    const desk = new Desk({ sources: [...TWO, { address: '192.0.2.9', pool: 'q' }] })
    desk.arrive(desk.order(), desk.order({ pool: 'q' }))
    desk.allow({ lends: false, because: 'reputation', until: WALL + 3_600_000 }, (ip) => ip === '192.0.2.9')
    desk.pass(500)
    const row = desk.take('drain').at(-1)?.drain.sites[0]
    expect(row).toMatchObject({ resting: null, restingPools: [{ pool: 'q', because: 'reputation', until: WALL + 3_600_000 }] })
  })
})

describe('the drain', () => {
  test('is said while there is something, and once more when there is not', () => {
    const desk = new Desk()
    for (let n = 0; n < 20; n++) desk.pass(250)
    expect(desk.take('drain')).toEqual([])
    desk.arrive(desk.order())
    desk.allow()
    const [grant] = desk.accept()
    desk.pass(500)
    expect(desk.take('drain').at(-1)?.drain).toMatchObject({ shard: 't00', epoch: 7, upTo: { bulk: 1 }, sites: [{ site: SITE, urgent: 0, bulk: 10 }] })
    desk.report(grant as never, { delivered: 10, ended: [1], open: 0, closed: true })
    let last = null
    for (let ms = 0; ms < 40_000; ms += 250) {
      desk.pass(250)
      last = desk.take('drain').at(-1)?.drain ?? last
    }
    expect(last?.sites).toEqual([])
    desk.pass(1_000)
    expect(desk.take('drain')).toEqual([])
  })

  test('is said sooner of a busy site that ran dry, with all that it did', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 500 }))
    desk.allow()
    const [grant] = desk.accept()
    for (let n = 0; n < 4; n++) desk.pass(250)
    desk.report(grant as never, { queued: 250 })
    desk.pass(500)
    desk.take('drain')
    // Half a second has not gone by: with as much queued as was done it waits for that, without it does not.
    desk.report(grant as never, { delivered: 120, queued: 130 })
    desk.pass(250)
    expect(desk.take('drain')).toEqual([])
    desk.pass(250)
    expect(desk.take('drain')).toHaveLength(1)
    // At once, not at the next look: a new campaign's first few hundred are soon gone.
    desk.report(grant as never, { delivered: 130, queued: 0 })
    const [early] = desk.take('drain')
    expect(early?.drain.sites[0]?.perS).toBeCloseTo(520)
  })
})
