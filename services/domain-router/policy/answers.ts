import type { GrantAnswer } from '../../../protocol/messages/permission.ts'
import { become, dropLease, type HeldLease, type Moment, type Shard } from '../state.ts'
import { largest } from './count.ts'
import type { RouterEvent, Say } from './messages.ts'
import { GUARD_MS, LEASE_MS } from './numbers.ts'
import { enqueue, type Waiting } from './queue.ts'
import { hearRefusal } from './roster.ts'

/** The sender took the grant, or says why not; then the orders go elsewhere. */
export function hearGrantAnswer(shard: Shard, id: string, answer: GrantAnswer, at: Moment): Say[] {
  const lease = shard.leases.get(id)
  const pending = lease?.pending
  if (lease === undefined || !pending) return []
  lease.pending = null
  shard.roster.get(lease.sender)?.asked.delete(id)
  if (answer.kind === 'accepted') {
    become(lease, 'held')
    lease.mustEnd = at.mono + LEASE_MS + GUARD_MS
    lease.busyAt = at.mono
    hold(lease, pending.orders, 'sure')
    return []
  }
  const sender = shard.roster.get(lease.sender)
  if (sender !== undefined) hearRefusal(sender, lease.ip, answer.because, at.mono)
  for (const waiting of pending.orders) giveBack(shard, waiting, at)
  if (pending.before === null) dropLease(shard, lease)
  else {
    lease.numbers = largest(lease.numbers, pending.before) // it goes on under what it was told before …
    if (ENDED_THERE.has(answer.because)) become(lease, 'ending') // … unless its sender has ended it: then it counts until it is closed
  }
  return [{ say: 'event', event: { event: 'grantRefused', ...nameOf(lease), because: answer.because, orders: pending.orders.length } }]
}

/** No answer: the sender may hold it. It counts until it must be over, and the orders come back by themselves if nobody works on them. */
export function hearGrantTimeOut(shard: Shard, id: string, at: Moment): Say[] {
  const lease = shard.leases.get(id)
  const pending = lease?.pending
  if (lease === undefined || !pending) return []
  lease.pending = null
  lease.mustEnd = Math.max(lease.mustEnd, at.mono + LEASE_MS + GUARD_MS)
  hold(lease, pending.orders, 'unsure')
  // A lease of before goes on: its reports tell. A new one that nobody confirmed takes no orders and is not renewed before it is reported.
  return [{ say: 'event', event: { event: 'grantUnanswered', ...nameOf(lease), orders: pending.orders.length } }]
}

/** A sender refuses more orders for a lease that it holds only when it has ended it by itself. */
const ENDED_THERE: ReadonlySet<string> = new Set(['no-room', 'stopping', 'source-held', 'ip-unusable'])

function hold(lease: HeldLease, orders: readonly Waiting[], how: 'sure' | 'unsure'): void {
  for (const { held } of orders) {
    lease.orders.set(held.seq, { count: held.order.count, lane: held.order.lane, unsure: how === 'unsure' })
    lease.queued += held.order.count
  }
}

function giveBack(shard: Shard, waiting: Waiting, at: Moment): void {
  const site = shard.sites.get(waiting.held.order.site)
  if (site !== undefined) enqueue(site.queue, waiting, at.now)
}

export function nameOf(lease: HeldLease): Pick<Extract<RouterEvent, { event: 'ended' }>, 'lease' | 'sender' | 'site' | 'ip'> {
  return { lease: lease.id, sender: lease.sender, site: lease.site, ip: lease.ip }
}
