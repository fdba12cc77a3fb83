import { describe, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/messages/permission.ts'
import { networkOf } from './network.ts'
import { Desk, seqs, SITE, WALL } from './desk.testkit.ts'

const TWO = [
  { address: '192.0.2.1', pool: 'p' },
  { address: '192.0.2.2', pool: 'p' },
]

describe('placing', () => {
  test('asks the ip-manager at once for a new site and for a new pool at a known one, then lends', () => {
    const desk = new Desk({ sources: [...TWO, { address: '192.0.2.9', pool: 'q' }] })
    desk.arrive(desk.order())
    expect(desk.take('askAllowances').at(-1)?.ask).toMatchObject({ shard: 't00', epoch: 7, sites: [{ site: SITE, pools: ['p'] }] })
    expect(desk.take('grant')).toEqual([])
    desk.tell({
      on: 'allowances',
      asked: [{ site: SITE, provider: null, pools: ['p'] }],
      allowances: {
        epoch: 1,
        tick: desk.mono,
        ms: 4_000,
        allowances: TWO.map(({ address: ip, pool }) => ({
          ip,
          site: SITE,
          pool,
          mode: 'steady',
          ipMode: 'serving',
          lends: true,
          sessions: 9,
          pacePerS: 9,
          budget: null,
          because: '',
          until: null,
        })),
      },
    })
    expect(desk.accept()).toHaveLength(1)
    desk.arrive(desk.order({ pool: 'q' }))
    expect(desk.take('askAllowances').at(-1)?.ask.sites[0]?.pools.toSorted()).toEqual(['p', 'q'])
    expect(desk.take('park')).toEqual([])
  })

  test('an order is placed on no address that has left the fleet, though its allowance still runs: it waits, and leaves from another', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(desk.order())
    desk.allow({}, (ip) => ip === '192.0.2.1')
    expect(desk.accept()).toHaveLength(1)
    const network = (addresses: readonly string[]) =>
      networkOf({ ip: addresses.map((address) => ({ address, pool: 'p', ehlo: 'mx.hato.example', egress: 'bind' })), isp: [] })
    desk.tell({ on: 'fleetChanged', network: network([]) })
    const waiting = desk.order()
    desk.arrive(waiting)
    expect(desk.take('grant')).toEqual([])
    desk.tell({ on: 'fleetChanged', network: network(['192.0.2.2']) })
    desk.pass(300)
    expect(seqs(desk.accept())).toEqual([waiting.seq])
  })

  test('gives a lease everything its sender needs, at the row’s start, from the echoed tick', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 100 }))
    desk.allow()
    const [grant] = desk.accept()
    expect(grant?.tick).toBe(desk.mono)
    expect(grant?.lease).toMatchObject({
      shard: 't00',
      epoch: 7,
      site: SITE,
      pool: 'p',
      ip: '192.0.2.1',
      bind: '192.0.2.1',
      sessions: 4,
      pacePerS: 20,
      ms: 4_000,
      budget: null,
    })
    expect(grant?.lease.terms).toMatchObject({ mailsPerSession: 100, sessionsPerAddress: 4, connectsPerMinute: 100, tls: 'opportunistic' })
  })

  test('what a warming IP may not carry today overflows to a warm one of its pool, out of the share that one has', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(...Array.from({ length: 5 }, () => desk.order({ count: 10 })))
    desk.allow({ mode: 'warming', budget: 20 }, (ip) => ip === '192.0.2.1')
    const carried = new Map<string, number>()
    for (const { lease, orders } of desk.accept()) carried.set(lease.ip, (carried.get(lease.ip) ?? 0) + orders.reduce((sum, { order }) => sum + order.count, 0))
    expect(carried.get('192.0.2.1')).toBeLessThanOrEqual(20)
    expect((carried.get('192.0.2.1') ?? 0) + (carried.get('192.0.2.2') ?? 0)).toBe(50)
  })

  test('lends few sessions for few recipients', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 3 }))
    desk.allow()
    expect(desk.accept()[0]?.lease.sessions).toBe(1)
  })

  test('keeps urgent before bulk, however long bulk has waited', () => {
    const desk = new Desk()
    desk.arrive(...Array.from({ length: 20 }, () => desk.order({ count: 100 })), desk.order({ lane: 'urgent', count: 1 }))
    desk.allow()
    const grants = desk.accept()
    expect(grants[0]?.orders[0]?.order.lane).toBe('urgent')
  })

  test('hands out no more than two seconds of the pace, and more when the queue runs low', () => {
    const desk = new Desk()
    desk.arrive(...Array.from({ length: 20 }, () => desk.order({ count: 10 })))
    desk.allow()
    const first = desk.accept()
    expect(seqs(first)).toEqual([1, 2, 3, 4]) // 40 recipients at 20 a second
    expect(desk.accept()).toEqual([])
    desk.mono += 500
    desk.report(first[0] as never, { queued: 5, delivered: 35, ended: [1, 2, 3] })
    expect(seqs(desk.accept())).toEqual([5, 6, 7, 8])
  })

  test('sends mail of a pool from no other pool’s source', () => {
    const desk = new Desk({ sources: [...TWO, { address: '192.0.2.9', pool: 'q' }] })
    desk.arrive(...Array.from({ length: 12 }, (_, at) => desk.order({ pool: at % 2 ? 'p' : 'q' })))
    desk.allow()
    for (const { lease, orders } of desk.accept()) for (const { order } of orders) expect(lease.ip === '192.0.2.9' ? 'q' : 'p').toBe(order.pool)
  })

  test('comes back from the same source where a greylist binds it, and waits for that one', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(
      desk.order({ attempt: 1, stick: { ip: '192.0.2.2', hardUntil: WALL + 3_600_000 } }),
      desk.order({ attempt: 1, stick: { ip: '192.0.2.2', hardUntil: 0 } }),
    )
    desk.allow()
    expect(desk.accept().map(({ lease }) => lease.ip)).toEqual(['192.0.2.2'])

    const other = new Desk({ sources: TWO })
    other.arrive(
      other.order({ attempt: 1, stick: { ip: '192.0.2.2', hardUntil: WALL + 3_600_000 } }),
      other.order({ attempt: 1, stick: { ip: '192.0.2.2', hardUntil: 0 } }),
    )
    other.allow({ lends: false, because: 'cooling', until: WALL + 600_000 }, (ip) => ip === '192.0.2.2')
    expect(seqs(other.accept())).toEqual([2])
    expect(other.take('park')).toMatchObject([{ held: { seq: 1 }, because: 'resting' }])
  })

  test('gives retries at most half while first tries wait', () => {
    const desk = new Desk({ isp: { mails_per_second: 100 } })
    desk.arrive(...Array.from({ length: 10 }, () => desk.order({ attempt: 2 })), ...Array.from({ length: 10 }, () => desk.order()))
    desk.allow()
    const attempts = desk.accept().flatMap(({ orders }) => orders.map(({ order }) => order.attempt))
    expect(attempts.filter((attempt) => attempt > 0).length).toBeLessThanOrEqual(attempts.length / 2 + 1)
    expect(attempts.length).toBeGreaterThan(2)
  })

  test('spreads over the sources of a pool, then over senders when one has no room', () => {
    const desk = new Desk({ sources: TWO, senders: { s1: 5, s2: 50 } })
    desk.arrive(...Array.from({ length: 12 }, () => desk.order({ count: 100 })))
    desk.allow()
    const grants = desk.take('grant')
    expect(new Set(grants.map(({ grant }) => grant.lease.ip)).size).toBe(2)
    expect(grants[0]?.sender).toBe('s2')
  })

  test('takes a refused order elsewhere, and believes a refusal', () => {
    const desk = new Desk({ senders: { s1: 50, s2: 40 } })
    desk.arrive(desk.order())
    desk.allow()
    const [first] = desk.take('grant')
    expect(first?.sender).toBe('s1')
    desk.answer(first?.grant as Grant, { kind: 'refused', because: 'no-room' })
    const [second] = desk.take('grant')
    expect(second?.sender).toBe('s2')
    expect(seqs([second?.grant as never])).toEqual([1])
    expect(desk.events()).toContainEqual(expect.objectContaining({ event: 'grantRefused', because: 'no-room', sender: 's1' }))
  })

  test('counts a grant without an answer as held until it must be over, and hands its orders on then', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 100 }))
    desk.allow()
    const [grant] = desk.take('grant')
    desk.mono += 1_000
    desk.unanswered(grant?.grant as Grant)
    desk.arrive(desk.order({ count: 100 }))
    for (let ms = 0; ms < 4_000; ms += 250) {
      desk.pass(250)
      desk.allow()
      expect(desk.take('grant')).toEqual([])
      expect(desk.take('touch').every(({ held }) => held.seq === 2)).toBe(true)
    }
    desk.pass(500)
    desk.allow()
    expect(seqs(desk.accept())).toEqual([1])
  })

  test('hands out again what a lease that goes on never got, once nobody has kept it alive', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 100 }))
    desk.allow()
    const [lease] = desk.accept()
    const more = desk.order({ count: 100 })
    desk.report(lease as never, { delivered: 90, queued: 1 })
    desk.arrive(more)
    const [lost] = desk.take('grant')
    expect(seqs([lost?.grant as never])).toEqual([2])
    desk.mono += 1_000
    desk.unanswered(lost?.grant as Grant)
    desk.report(lease as never, { delivered: 10 })
    expect(desk.take('grant')).toEqual([])
    desk.arrive(more) // ack_wait is over, and nobody said +WPI
    desk.here()
    desk.report(lease as never)
    expect(seqs(desk.accept())).toEqual([2])
  })

  test('lends nothing without permission of its own', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.shard.adopting = { since: desk.mono, until: desk.mono + 1_000, expected: new Set(), asked: new Set(), answered: new Set() }
    desk.allow()
    expect(desk.take('grant')).toEqual([])
  })

  test('gives a ramp’s last transactions to nobody twice', () => {
    const desk = new Desk({ sources: TWO })
    desk.arrive(...Array.from({ length: 6 }, () => desk.order()))
    desk.allow({ budget: 25 })
    const grants = desk.accept()
    for (const { lease, orders } of grants) {
      expect(lease.budget).toBe(25)
      expect(orders.length * 10).toBeLessThanOrEqual(25)
    }
  })
})
