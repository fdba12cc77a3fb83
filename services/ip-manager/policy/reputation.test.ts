import { describe, expect, test } from 'vitest'
import type { AllowanceAsk } from '../../../protocol/messages/permission.ts'
import type { Manager } from '../state.ts'
import { allow } from './allow.ts'
import { control, type Order } from './control.ts'
import { fleetView } from './fleet-view.ts'
import { hearHolder } from './holders.ts'
import { blamed, changesIn, delivered, fleetOf, HOUR_MS, listed, managerOf, MINUTE_MS, modesIn, NOW, see } from './manager.testkit.ts'
import { newFleet } from './new-fleet.ts'
import { pass } from './pass.ts'
import { restate } from './restate.ts'
import { reputation, reputationOf, TAIL_SITE } from './reputation.ts'

const A = '127.0.1.1'
const B = '127.0.1.2'
const fleet = fleetOf({ [A]: {}, [B]: { pool: 'other' } })
const order = (manager: Manager, action: Order['action'], forMs: number | null = null, at = manager.now) => {
  const ip = manager.ips.get(A)
  if (ip === undefined) throw new Error('no such IP')
  return control(manager, ip, { action, because: 'tried', forMs }, at)
}
const one = (manager: Manager, pools = ['main'], site = 'google') => allow(manager, [{ site, provider: null, pools }])
const ask = (leases: NonNullable<AllowanceAsk['leases']>, epoch = 5): AllowanceAsk => ({ shard: 'google', epoch, router: 'r1', tick: 1, sites: [], leases })
const lease = (until: number) => ({ ip: A, site: 'google', sender: 's1', sessions: 2, until })

describe('an allowance', () => {
  test('names every IP of the asked pools and none of another pool (S6)', () => {
    const manager = managerOf(fleet)
    expect(one(manager)).toMatchObject([{ ip: A, site: 'google', pool: 'main', mode: 'steady', ipMode: 'serving', lends: true, sessions: 5, budget: null }])
    expect(one(manager, ['main', 'other']).map(({ ip }) => ip)).toEqual([A, B])
    expect(one(manager, ['none'])).toEqual([])
  })

  test('makes no pair: what is only waited for costs no memory', () => {
    const manager = managerOf(fleet)
    for (let site = 0; site < 100; site++) one(manager, ['main'], `s${site}.example`)
    expect(manager.ips.get(A)?.pairs.size).toBe(0)
  })

  test('of an IP that warms up holds a budget, smaller by what has left', () => {
    const manager = managerOf(fleetOf({ [A]: { warm_since: '2026-11-24' } }))
    const before = one(manager)[0]?.budget ?? 0
    expect(before).toBeGreaterThan(0)
    see(manager, [delivered(A, 'google'), delivered(A, 'google')])
    expect(one(manager)[0]).toMatchObject({ mode: 'warming', budget: before - 2 })
  })

  test("follows the fleet file's own numbers for a provider", () => {
    const manager = managerOf(fleetOf({ [A]: {} }, { isp: [{ name: 'google', sessions_per_ip: 3, mails_per_second: 7 }] }))
    expect(one(manager)[0]).toMatchObject({ sessions: 3, pacePerS: 7 })
  })

  test('of an IP that cools tells why and until when (S7)', () => {
    const manager = managerOf(fleet)
    see(manager, [blamed(A, 'google', { rule: { id: 'google/ip-rate', restMs: HOUR_MS } })])
    expect(one(manager)[0]).toMatchObject({ mode: 'cooling', lends: false, sessions: 0, because: 'google/ip-rate', until: NOW + HOUR_MS })
  })
})

describe('an order for an IP', () => {
  test('quarantine stops it everywhere at once, and its time ends it', () => {
    const manager = managerOf(fleet)
    const says = order(manager, 'quarantine', 10 * MINUTE_MS)
    expect([modesIn(says), changesIn(says)]).toEqual([[`${A} serving → quarantined`], [`${A} * stops`]])
    expect(one(manager)[0]).toMatchObject({ ipMode: 'quarantined', lends: false, because: 'tried', until: NOW + 10 * MINUTE_MS })
    expect(pass(manager, NOW + 10 * MINUTE_MS - 1)).toEqual([])
    expect(changesIn(pass(manager, NOW + 10 * MINUTE_MS))).toEqual([`${A} * lends`])
    expect(one(manager)[0]?.lends).toBe(true)
  })

  test('release is also the word that sites which blocked it wait for', () => {
    const manager = managerOf(fleet)
    see(manager, [listed(A, 'google'), listed(A, 'yahoo'), listed(A, 'apple')])
    expect(manager.ips.get(A)?.state.mode).toBe('quarantined')
    order(manager, 'release')
    expect(pass(manager, NOW + MINUTE_MS)).toEqual([])
    expect(one(manager)[0]).toMatchObject({ mode: 'recovering', ipMode: 'serving', lends: true })
  })

  test('drain is over when no router tells a lease any more, and never before all have been heard', () => {
    const manager = managerOf(fleet)
    hearHolder(manager, ask([lease(NOW + 4_000)]), NOW)
    order(manager, 'drain')
    expect(one(manager)[0]).toMatchObject({ ipMode: 'draining', lends: false })
    for (let at = NOW; at < NOW + 20_000; at += 1_000) {
      hearHolder(manager, ask([lease(NOW + 4_000)]), at) // lingers for the reply to a dot
      expect(modesIn(pass(manager, at))).toEqual([])
    }
    hearHolder(manager, ask([]), NOW + 20_000)
    expect(modesIn(pass(manager, NOW + 21_000))).toEqual([`${A} draining → drained`])

    const restarted = managerOf(fleet)
    restarted.hearingSince = null
    order(restarted, 'drain')
    expect(modesIn(pass(restarted, NOW + HOUR_MS))).toEqual([])
    restarted.hearingSince = NOW + HOUR_MS
    expect(modesIn(pass(restarted, NOW + HOUR_MS + 3_000))).toEqual([])
    expect(modesIn(pass(restarted, NOW + HOUR_MS + 7_000))).toEqual([`${A} draining → drained`])
  })
})

describe('reputation', () => {
  test('tells each IP, its sites, and the leases that routers told', () => {
    const manager = managerOf(fleet)
    see(manager, [delivered(A, 'google'), delivered(A, 'yahoo'), { ...delivered(A, 'google'), outcome: 'bounced', class: 'unknown-user', stage: 'rcpt' }])
    hearHolder(manager, ask([lease(NOW + 4_000), { ...lease(NOW + 4_000), site: 'gmx' }]), NOW)
    const { ips } = reputation(manager)
    expect(ips.map(({ address, pool, mode, until }) => [address, pool, mode, until])).toEqual([
      [A, 'main', 'serving', null],
      [B, 'other', 'serving', null],
    ])
    expect(ips[0]?.isps.google).toEqual({
      mode: 'steady',
      score: 1,
      because: null,
      until: null,
      delivered: 1,
      deferred: 0,
      bounced: 1,
      blocked: 0,
      complaints: 'unknown',
      rampDay: null,
      rampLimit: null,
      sentToday: 2,
      leases: [{ sender: 's1', sessions: 2, until: '2026-11-24T09:00:04.000Z', epoch: 5 }],
    })
    expect(ips[0]?.isps.yahoo?.complaints).toBe(0)
    expect(ips[0]?.isps.gmx).toMatchObject({ delivered: 0, leases: [{ sender: 's1' }] })
    expect(ips[1]?.isps).toEqual({})
  })

  test('of one IP also tells whose recipients caused the blame; of an unknown one there is none', () => {
    const manager = managerOf(fleet)
    see(manager, [blamed(A, 'google')], NOW, 'bravo')
    expect(reputationOf(manager, A)?.ips[0]?.isps.google?.blamedBy).toEqual({ bravo: 1 })
    expect(reputation(manager).ips[0]?.isps.google).not.toHaveProperty('blamedBy')
    expect(reputationOf(manager, '198.51.100.1')).toBeNull()
  })

  test('tells the 200 sites with most traffic and sums the rest', () => {
    const manager = managerOf(fleet)
    for (let site = 0; site < 300; site++) {
      const seen = delivered(A, `s${site}.example`)
      see(manager, site < 200 ? [seen, seen] : [seen])
    }
    const isps = reputationOf(manager, A)?.ips[0]?.isps ?? {}
    expect(Object.keys(isps)).toHaveLength(201)
    expect(isps[TAIL_SITE]).toMatchObject({ delivered: 100, sentToday: 100, score: 1 })
    expect(Object.values(isps).reduce((sum, { delivered }) => sum + delivered, 0)).toBe(500)
  })

  test('an older router of a shard is not believed', () => {
    const manager = managerOf(fleet)
    hearHolder(manager, ask([lease(NOW + 4_000)], 7), NOW)
    expect(hearHolder(manager, ask([], 6), NOW)).toBe(false)
    expect(reputation(manager).ips[0]?.isps.google?.leases).toHaveLength(1)
    pass(manager, NOW + 10_000)
    expect(reputation(manager).ips[0]?.isps).toEqual({})
  })
})

describe('another fleet', () => {
  test('stops what it dropped at once, and what comes back within a week is known again', () => {
    const manager = managerOf(fleet)
    see(manager, [delivered(A, 'google')])
    expect(changesIn(newFleet(manager, fleetView(fleetOf({ [B]: { pool: 'other' } })), NOW))).toEqual([`${A} * stops`])
    expect(one(manager)).toEqual([])
    pass(manager, NOW + 24 * HOUR_MS)
    expect(changesIn(newFleet(manager, fleetView(fleet), NOW + 25 * HOUR_MS))).toEqual([`${A} * lends`])
    expect(reputationOf(manager, A)?.ips[0]?.isps.google?.delivered).toBe(1)
    newFleet(manager, fleetView(fleetOf({ [B]: { pool: 'other' } })), NOW + 26 * HOUR_MS)
    pass(manager, NOW + 10 * 24 * HOUR_MS)
    expect(manager.ips.has(A)).toBe(false)
  })

  test('moves an IP to another pool: the old one is not held to its share', () => {
    const both = managerOf(fleetOf({ [A]: {}, [B]: {} }))
    see(both, [blamed(A, 'google')])
    const capped = one(both).find(({ ip }) => ip === B)?.pacePerS ?? 0
    newFleet(both, fleetView(fleetOf({ [A]: { pool: 'other' }, [B]: {} })), NOW)
    expect(one(both).find(({ ip }) => ip === B)?.pacePerS).toBeGreaterThan(capped)
  })
})

test('a new owner restates what stopped and what resumed, for those who did not hear it', () => {
  const manager = managerOf(fleetOf({ [A]: {}, [B]: {} }))
  see(manager, [delivered(A, 'gmx'), blamed(A, 'google', { rule: { id: 'x', restMs: MINUTE_MS } }), blamed(A, 'yahoo')])
  order(manager, 'quarantine')
  pass(manager, NOW + MINUTE_MS)
  expect(changesIn(restate(manager))).toEqual([`${A} * stops`, `${A} google lends`, `${A} yahoo stops`, `${B} * lends`])
})
