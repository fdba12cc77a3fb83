import { expect, test } from 'vitest'
import type { Grant, ReportAnswer } from '../../protocol/messages/permission.ts'
import type { Log } from '../runtime/log.ts'
import { AddressUse } from './address-use.ts'
import { LeaseHolder } from './lease-holder.ts'
import { Leases } from './leases.ts'
import type { Orders } from './orders.ts'
import { foundWithoutReply } from './policy/attempt.ts'

const silent = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Log

/** Leases without orders: what is told of them, and when. */
function sender({ room }: { readonly room: number }) {
  const state = { mono: 0, holders: [] as LeaseHolder[] }
  const mono = () => state.mono
  const leases = new Leases({
    sender: 's1',
    sessionsMax: room,
    owners: { silentMs: () => 0, ownerOf: () => null } as never,
    mono,
    stopping: () => false,
    canUse: () => true,
    heldBack: () => false,
    newHolder({ lease }, until, stirred) {
      const options = { lease, until, orders: {} as Orders, use: new AddressUse(), hungry: () => {}, stirred, mono, wall: mono, log: silent }
      const holder = new LeaseHolder({
        ...options,
        hire: () => {
          throw new Error('there is nothing to do')
        },
      })
      state.holders.push(holder)
      return holder
    },
  })
  const grant = (shard: string, id: string) =>
    leases.grant({
      lease: { id, shard, site: `${id}.example`, ip: '192.0.2.1', pool: 'p', sessions: 1, pacePerS: 10, budget: null, ms: 4_000, epoch: 1 } as Grant['lease'],
      tick: state.mono,
      orders: [],
    })
  /** The report at this moment, heard and answered: which leases it names. */
  const turn = (shard: string, heard: 'heard' | 'lost' = 'heard') => {
    const report = leases.reportFor(shard)
    if (report === null) return []
    if (heard === 'lost') leases.unheard(report)
    else {
      leases.heard(report)
      const renew = report.leases.map(({ lease }) => ({ lease, sessions: 1, pacePerS: 10, budget: null, ms: 4_000 }))
      leases.answered(shard, { epoch: 1, tick: report.tick, renew, end: [] } as ReportAnswer)
    }
    return report.leases.map(({ lease }) => lease)
  }
  return { state, leases, grant, turn }
}

test('a lease with nothing new is told once a second, one with news at the next turn, each shard its own', () => {
  const { state, leases, grant, turn } = sender({ room: 100 })
  for (const id of ['a', 'b']) expect(grant('t00', id)).toEqual({ kind: 'accepted' })
  grant('t01', 'c')
  expect(leases.shards()).toEqual(['t00', 't01'])
  expect([turn('t00'), turn('t01'), turn('t02')]).toEqual([['a', 'b'], ['c'], []])
  state.mono = 250
  expect(turn('t00')).toEqual([])
  state.holders[1]?.counts.count(foundWithoutReply('deferred', 'unreachable', 'host', 'ECONNREFUSED', 'connect'))
  expect(turn('t00')).toEqual(['b'])
  state.mono = 1_000
  expect(turn('t00')).toEqual(['a'])
})

test('quiet leases outlive their four seconds, also when a report is lost', () => {
  const { state, leases, grant, turn } = sender({ room: 100 })
  grant('t00', 'a')
  turn('t00')
  for (state.mono = 250; state.mono <= 20_000; state.mono += 250) {
    if (turn('t00', state.mono % 3_000 < 1_000 ? 'lost' : 'heard').length > 0 && state.mono % 3_000 >= 1_000) expect(state.holders[0]?.live).toBe(true)
    leases.expire()
  }
  expect(state.holders[0]?.live).toBe(true)
})

test('without room every lease is told at every turn: somebody may want its sessions', () => {
  const { state, grant, turn } = sender({ room: 2 })
  for (const id of ['a', 'b']) grant('t00', id)
  turn('t00')
  state.mono = 250
  expect(turn('t00')).toEqual(['a', 'b'])
})

test('an ended lease is told until that was heard, and is nobody’s then', () => {
  const { state, leases, grant, turn } = sender({ room: 100 })
  grant('t00', 'a')
  turn('t00')
  state.holders[0]?.end('lease-end', 0, 'return')
  expect(turn('t00', 'lost')).toEqual(['a'])
  expect(turn('t00')).toEqual(['a'])
  expect([leases.isEmpty, leases.shards()]).toEqual([true, []])
})
