import { describe, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/messages/permission.ts'
import { Desk, seqs, SITE, WALL } from './desk.testkit.ts'

function lent(desk: Desk, orders = 1): Grant {
  desk.arrive(...Array.from({ length: orders }, () => desk.order({ count: 100 })))
  desk.allow()
  const [grant] = desk.accept()
  if (grant === undefined) throw new Error('nothing was lent')
  return grant
}

describe('a lease', () => {
  test('is renewed from the report’s own tick for four seconds, and grows with the window', () => {
    const desk = new Desk()
    const grant = lent(desk, 5)
    desk.mono += 1_100
    const answer = desk.report(grant, { open: 4, queued: 80, delivered: 20 })
    expect(answer).toMatchObject({ epoch: 7, tick: desk.mono, end: [] })
    expect(answer.renew).toEqual([{ lease: grant.lease.id, sessions: 8, pacePerS: 20, budget: null, ms: 4_000 }])
  })

  test('ends when its sender has nothing to do and no warm session', () => {
    const desk = new Desk()
    const grant = lent(desk)
    expect(desk.report(grant, { open: 2, ended: [1], delivered: 100 }).end).toEqual([])
    desk.pass(1_500)
    desk.allow()
    expect(desk.report(grant, { open: 2 }).end).toEqual([]) // warm
    expect(desk.report(grant, { open: 0 }).end).toEqual([grant.lease.id])
    expect(desk.report(grant, { open: 0, closed: true }).end).toEqual([])
    expect(desk.shard.leases.size).toBe(0)
  })

  test('ends at once when its source stops lending, and nothing new begins there', () => {
    const desk = new Desk()
    const grant = lent(desk, 3)
    desk.tell({ on: 'sourceChanged', changed: { epoch: 1, ip: '192.0.2.1', site: null, lends: false, because: 'reputation', until: WALL + 7_200_000 } })
    expect(desk.report(grant, { queued: 50 }).end).toEqual([grant.lease.id])
    expect(desk.take('grant')).toEqual([])
    desk.pass(250)
    expect(desk.take('park').map(({ held, because }) => [held.seq, because])).toEqual([
      [2, 'reputation'],
      [3, 'reputation'],
    ])
  })

  test('of a sender that stops takes no orders and ends when it is done', () => {
    const desk = new Desk({ senders: { s1: 50, s2: 40 } })
    const grant = lent(desk)
    desk.here(['s1'])
    desk.arrive(desk.order())
    const answer = desk.report(grant, { queued: 30 })
    expect(answer.end).toEqual([])
    expect(desk.take('grant').every(({ sender }) => sender === 's2')).toBe(true)
    desk.here(['s1'])
    expect(desk.report(grant, { queued: 0, ended: [1] }).end).toEqual([grant.lease.id])
  })

  test('counts its sessions until its silent sender must have closed them', () => {
    const desk = new Desk({ senders: { s1: 50, s2: 50 } })
    const grant = lent(desk)
    desk.report(grant, { open: 8, queued: 60 })
    desk.arrive(desk.order({ count: 100 }))
    desk.take('grant')
    const lentAt = desk.mono
    while (desk.mono - lentAt < 4_250) {
      desk.tell({ on: 'senderHere', here: { sender: 's2', tick: desk.mono, sessionsFree: 50, ips: ['192.0.2.1'], stopping: false } })
      desk.tell({ on: 'tick' })
      desk.allow()
      for (const { grant: next } of desk.take('grant')) expect(next.lease.sessions).toBeLessThanOrEqual(4)
      expect(desk.shard.leases.has(grant.lease.id)).toBe(true)
      desk.mono += 250
    }
    desk.pass(300)
    expect(desk.shard.leases.has(grant.lease.id)).toBe(false)
    expect(desk.events()).toContainEqual(expect.objectContaining({ event: 'ended', because: 'silent' }))
  })

  test('that is ended still counts the sessions that wait for a reply', () => {
    const desk = new Desk({ isp: { sessions_start: 2, sessions_per_ip: 2 } })
    const grant = lent(desk, 2)
    desk.report(grant, { open: 0, lingering: 2, rest: { ms: 1, because: 'site-busy' } })
    for (let ms = 0; ms < 10_000; ms += 250) {
      desk.pass(250)
      desk.allow()
      desk.report(grant, { open: 0, lingering: 2 })
      expect(desk.take('grant')).toEqual([])
    }
    desk.report(grant, { open: 0, lingering: 0, closed: true })
    desk.pass(250)
    expect(desk.take('grant')).toHaveLength(1)
  })

  test('of before a takeover is adopted under the new epoch with its orders, and copies of them are not handed out again', () => {
    const desk = new Desk()
    const { lease } = lent(desk, 1)
    const heir = new Desk()
    heir.tell({ on: 'gained', epoch: 9, memory: null })
    heir.here()
    const held = { ...lease, epoch: 7, open: 1, lingering: 0, queued: 70, orders: [1] }
    heir.tell({ on: 'holdingsAnswered', holdings: { sender: 's1', tick: heir.mono, sessionsFree: 46, leases: [held] } })
    const [adoption] = heir.take('grant')
    expect(adoption?.grant).toMatchObject({ lease: { id: lease.id, epoch: 9, sessions: lease.sessions }, orders: [] })
    heir.answer(adoption?.grant as Grant, { kind: 'accepted' })
    heir.arrive(heir.order({ count: 100 }))
    heir.allow()
    for (let n = 0; n < 6; n++) {
      heir.pass(250)
      heir.report(adoption?.grant as Grant, { queued: 70 })
    }
    expect(seqs(heir.accept())).toEqual([])
    expect(heir.take('drain').at(-1)?.drain.sites[0]).toMatchObject({ site: SITE, bulk: 70 })
  })

  test('may be held by a sender that does not answer a new owner: nothing is lent on its sources before a lease is over', () => {
    const desk = new Desk()
    desk.tell({ on: 'gained', epoch: 9, memory: { v: 1, actions: [], pairs: [], holders: ['gone'] } })
    desk.here()
    desk.tell({ on: 'holdingsAnswered', holdings: { sender: 's1', tick: desk.mono, sessionsFree: 50, leases: [] } })
    const gainedAt = desk.mono
    desk.arrive(desk.order())
    while (desk.mono - gainedAt < 4_000) {
      desk.pass(250)
      desk.allow()
      expect(desk.take('grant')).toEqual([])
      expect(desk.take('park')).toEqual([])
    }
    desk.pass(500)
    expect(seqs(desk.accept())).toEqual([1])
  })

  test('that nobody knows any more counts as long as its sender reports sessions, and is told to end', () => {
    const desk = new Desk({ isp: { sessions_start: 2, sessions_per_ip: 2 } })
    desk.mono += 30_000 // long after the takeover
    const stray = { lease: { id: 't00-3-1', ip: '192.0.2.1', site: SITE, pool: 'p' } } as Grant
    expect(desk.report(stray, { open: 1, lingering: 1 }).end).toEqual(['t00-3-1'])
    desk.arrive(desk.order())
    desk.allow()
    expect(desk.take('grant')).toEqual([])
    desk.report(stray, { open: 0, closed: true })
    desk.pass(250)
    expect(desk.take('grant')).toHaveLength(1)
  })

  test('goes to a sender only after the memory names it', () => {
    const desk = new Desk()
    desk.saves = false
    desk.arrive(desk.order())
    desk.tell({ on: 'senderHere', here: { sender: 'new', tick: 1, sessionsFree: 500, ips: ['192.0.2.1'], stopping: false } })
    desk.shard.roster.delete('s1')
    desk.allow()
    expect(desk.take('grant')).toEqual([])
    desk.mono += 250
    desk.tell({ on: 'senderHere', here: { sender: 'new', tick: 251, sessionsFree: 500, ips: ['192.0.2.1'], stopping: false } })
    const saved = desk.take('save').at(-1)?.memory
    expect(saved?.holders).toContain('new')
    expect(desk.take('grant')).toEqual([])
    desk.tell({ on: 'saved', holders: saved?.holders ?? [] })
    expect(desk.take('grant')).toMatchObject([{ sender: 'new' }])
  })

  test('is not renewed while nobody allows, and not ended either', () => {
    const desk = new Desk()
    const grant = lent(desk)
    for (let n = 0; n < 18; n++) {
      desk.pass(250)
      desk.report(grant, { queued: 50 })
    }
    expect(desk.report(grant, { queued: 50 })).toMatchObject({ renew: [], end: [] })
    desk.allow()
    expect(desk.report(grant, { queued: 50 }).renew).toHaveLength(1)
  })

  test('fades when another sender has much more room, and the next goes there', () => {
    const desk = new Desk({ senders: { s1: 2, s2: 60 } })
    desk.shard.roster.get('s1')!.free = 90
    desk.arrive(desk.order({ count: 100 }))
    desk.allow()
    const [grant] = desk.accept()
    expect(desk.shard.leases.get(grant?.lease.id as string)?.sender).toBe('s1')
    for (let n = 0; n < 10; n++) desk.pass(250)
    expect(desk.shard.leases.get(grant?.lease.id as string)?.mode).toBe('fading')
  })
})
