import { describe, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/messages/permission.ts'
import { Desk, SITE, WALL } from './desk.testkit.ts'
import {
  ALLOWANCE_EVERY_MS,
  ALLOWANCE_FRESH_MS,
  FORGET_SITE_MS,
  QUIET_LOOK_MS,
  QUIET_SITE_MS,
  SAVE_EVERY_MS,
  SAVE_GROWTH_EVERY_MS,
  SLEEPING_MOST,
  SLEPT_MS,
} from './numbers.ts'

/** Every order done, the session closed, the lease given back. */
function finish(desk: Desk, grants: readonly Grant[]): void {
  for (const grant of grants) {
    desk.report(grant, { delivered: grant.orders.length * 10, ended: grant.orders.map(({ seq }) => seq), open: 0 })
    desk.report(grant, { open: 0, closed: true })
  }
}

describe('a site with nothing left', () => {
  test('sleeps once that has been told, and no look sees it again until it is forgotten', () => {
    const desk = new Desk()
    desk.arrive(...Array.from({ length: 30 }, (_, n) => desk.order({ site: `s${n}.example` })))
    desk.allow()
    desk.said = desk.said.filter(({ say }) => say === 'grant')
    finish(desk, desk.accept())
    for (let n = 0; n < 4; n++) desk.pass(500)
    // However quickly it was done: what the scheduler counts as on its way has arrived.
    const [first, last] = desk.take('drain').map(({ drain }) => drain)
    expect(first).toMatchObject({ upTo: { bulk: 30 }, sites: Array.from({ length: 30 }, () => ({ urgent: 0, bulk: 0, perS: 0, resting: null })) })
    expect(last?.sites).toEqual([])
    expect([desk.shard.sites.size, desk.shard.awake.size]).toEqual([30, 0])
    desk.pass(QUIET_SITE_MS + QUIET_LOOK_MS)
    expect([...desk.shard.sites.values()].every(({ pairs }) => pairs.size === 0)).toBe(true)
    desk.pass(FORGET_SITE_MS)
    expect(desk.shard.sites.size).toBe(0)
  })

  test('keeps what its sources were found to bear, and no source that was never lent there', () => {
    const desk = new Desk({ sources: Array.from({ length: 9 }, (_, n) => ({ address: `192.0.2.${n + 1}`, pool: 'p' })) })
    desk.arrive(desk.order())
    desk.allow()
    finish(desk, desk.accept())
    for (let n = 0; n < 4; n++) desk.pass(500)
    expect([...desk.shard.sites.values()].map(({ pairs }) => pairs.size)).toEqual([1])
    desk.take('askAllowances')
    desk.arrive(desk.order())
    expect(desk.take('askAllowances')).toMatchObject([{ ask: { sites: [{ site: SITE, pools: ['p'] }] } }])
    expect(desk.take('park')).toEqual([])
    desk.allow()
    expect(desk.accept()).toHaveLength(1)
  })

  test('is forgotten before its time where there are very many, all but what was learnt there', () => {
    const desk = new Desk({ senders: { s1: 5_000 } })
    const sites = Array.from({ length: 3 * SLEEPING_MOST }, (_, n) => `s${n}.example`)
    desk.arrive(...sites.map((site) => desk.order({ site })))
    desk.allow()
    const grants = desk.accept()
    const busy = grants.find(({ lease }) => lease.site === sites[0]) as Grant
    desk.report(busy, { classes: { 'too-many-connections': 1 } })
    finish(desk, grants)
    for (let n = 0; n < 4; n++) desk.pass(500)
    expect(desk.shard.sites.size, 'what it started may not be counted yet').toBe(sites.length)
    desk.pass(SLEPT_MS)
    desk.arrive(desk.order({ site: 'last.example' }))
    desk.allow()
    finish(desk, desk.accept())
    for (let n = 0; n < 4; n++) desk.pass(500)
    expect(desk.shard.sites.size).toBeLessThanOrEqual(SLEEPING_MOST)
    expect([desk.shard.sites.has(sites[0] as string), desk.shard.sites.has('last.example')]).toEqual([false, true])
    expect([...desk.shard.memory.keys()]).toEqual([sites[0]])
  })

  test('is woken by an order, also while another one works', () => {
    const desk = new Desk({ senders: { s1: 50 } })
    desk.arrive(desk.order())
    desk.allow()
    finish(desk, desk.accept())
    for (let n = 0; n < 4; n++) desk.pass(500)
    desk.arrive(desk.order({ site: 'other.example' }))
    desk.pass(500)
    desk.arrive(desk.order())
    desk.allow()
    expect(desk.accept().map(({ lease }) => lease.site)).toContain(SITE)
  })

  test('stays awake through a rest that its last report brought, and tells it', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow()
    const [grant] = desk.accept() as [Grant]
    desk.report(grant, { ended: [1], open: 0, closed: true, classes: { 'site-busy': 1 }, rest: { ms: 60_000, because: 'site-busy', whole: true } })
    for (let n = 0; n < 4; n++) desk.pass(500)
    expect(desk.take('drain').at(-1)?.drain.sites).toMatchObject([{ site: SITE, resting: { because: 'site-busy' } }])
    for (let n = 0; n < 10; n++) desk.pass(60_000)
    desk.take('drain')
    desk.pass(500)
    expect(desk.shard.awake.size).toBe(0)
  })
})

test('with every sender full, a pool says once that it wants room, and the sites of another pool say it too', () => {
  const desk = new Desk({
    sources: [
      { address: '192.0.2.1', pool: 'p' },
      { address: '192.0.2.2', pool: 'q' },
    ],
    senders: { s1: 0 },
  })
  desk.arrive(...Array.from({ length: 6 }, (_, n) => desk.order({ site: `s${n}.example`, pool: n % 2 === 0 ? 'p' : 'q' })))
  desk.allow()
  expect(desk.take('grant')).toEqual([])
  desk.shard.roster.get('s1')!.wantedUntil = 0
  desk.pass(250)
  expect(desk.shard.roster.get('s1')?.wantedUntil).toBeGreaterThan(desk.mono)
  desk.tell({
    on: 'senderHere',
    here: { sender: 's1', tick: desk.mono, sessionsFree: 50, ips: ['192.0.2.1', '192.0.2.2'], stopping: false },
  })
  expect(desk.accept().map(({ lease }) => lease.site)).toHaveLength(6)
})

test('a sender whose word on its room was on its way when leases were asked for is not asked for the same room again', () => {
  const desk = new Desk({ senders: { s1: 4 } })
  const sites = (from: number) => Array.from({ length: 4 }, (_, n) => desk.order({ site: `s${from + n}.example` }))
  desk.arrive(...sites(0))
  desk.allow()
  const asked = desk.take('grant').map(({ grant }) => grant)
  expect(asked.reduce((sum, { lease }) => sum + lease.sessions, 0)).toBe(4)
  desk.here() // it has not read the grants
  desk.arrive(...sites(4))
  desk.allow()
  expect(desk.take('grant')).toEqual([])
  for (const grant of asked) desk.answer(grant, { kind: 'accepted' })
  desk.here() // the same word once more, now that it has: there is room
  desk.pass(250)
  expect(desk.take('grant').length).toBeGreaterThan(0)
})

describe('the memory', () => {
  const busy = (desk: Desk, grant: Grant, ms: number, told: object = {}) => {
    for (let passed = 0; passed < ms; passed += 500) {
      desk.allow()
      desk.report(grant, { delivered: 40, queued: 50, ...told })
      desk.pass(500)
    }
  }
  const opened = () => {
    const desk = new Desk({ isp: { sessions_start: 1, sessions_per_ip: 64, mails_per_second: 1_000 } })
    desk.arrive(desk.order())
    desk.allow()
    const [grant] = desk.accept() as [Grant]
    desk.pass(SAVE_EVERY_MS)
    desk.take('save')
    return { desk, grant }
  }

  test('does not name windows that the next owner finds out within two rounds', () => {
    const { desk, grant } = opened()
    busy(desk, grant, 1_500)
    desk.tell({ on: 'released' })
    expect(desk.take('save').at(-1)?.memory.pairs).toEqual([])
  })

  test('keeps large windows, but what only grew is written twice a minute', () => {
    const { desk, grant } = opened()
    busy(desk, grant, SAVE_GROWTH_EVERY_MS - 3 * SAVE_EVERY_MS)
    expect(desk.take('save')).toEqual([])
    busy(desk, grant, 4 * SAVE_EVERY_MS)
    const saves = desk.take('save')
    expect(saves).toHaveLength(1)
    expect(saves[0]?.memory.pairs).toMatchObject([{ site: SITE, window: { sessions: { value: 64 } } }])
  })

  test('names a refusal within two seconds', () => {
    const { desk, grant } = opened()
    busy(desk, grant, 5_000)
    desk.report(grant, { delivered: 1, queued: 50, classes: { 'too-many-connections': 1 } })
    desk.pass(SAVE_EVERY_MS)
    expect(desk.take('save').at(-1)?.memory.pairs).toMatchObject([{ site: SITE, window: { sessions: { mode: 'holding' } } }])
  })
})

describe('an allowance', () => {
  const asked = (changes: object) => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow(changes)
    desk.accept()
    desk.take('askAllowances')
    desk.pass(ALLOWANCE_EVERY_MS)
    return desk.take('askAllowances').flatMap(({ ask }) => ask.sites.map(({ site }) => site))
  }

  test('that limits is asked anew every second', () => {
    expect(asked({ budget: 50 })).toEqual([SITE])
    expect(asked({ lends: false, because: 'cooling', until: WALL + 20_000 })).toEqual([])
  })

  test('that limits nothing is asked anew twice before it runs out, and the leases are told all the same', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow()
    const [grant] = desk.accept() as [Grant]
    desk.take('askAllowances')
    desk.pass(ALLOWANCE_EVERY_MS)
    expect(desk.take('askAllowances')).toMatchObject([{ ask: { sites: [], leases: [{ site: grant.lease.site }] } }])
    desk.report(grant, { queued: 5 })
    desk.pass(ALLOWANCE_FRESH_MS - ALLOWANCE_EVERY_MS + 100)
    desk.report(grant, { queued: 5 })
    expect(desk.take('askAllowances')).toMatchObject([{ ask: { sites: [{ site: SITE }] } }])
    desk.pass(ALLOWANCE_EVERY_MS) // no answer
    expect(desk.take('askAllowances')).toMatchObject([{ ask: { sites: [{ site: SITE }] } }])
  })
})
