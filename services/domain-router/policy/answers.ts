import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import type { GrantAnswer } from '../../../protocol/messages/permission.ts'
import { become, type HeldLease } from '../held-lease.ts'
import { dropLease, type Moment, type Shard } from '../state.ts'
import { takeBack } from './copies.ts'
import { largest } from './count.ts'
import type { RouterEvent, Say } from './messages.ts'
import { GRANT_TIMEOUT_MS, GUARD_MS, LEASE_MS } from './numbers.ts'
import { enqueue, type Waiting } from './queue.ts'
import { hearRefusal } from './roster.ts'

/** A grant, by its lease and orders. */
interface Asked {
  readonly lease: string
  readonly orders: readonly HeldOrder[]
}

/** The sender took the grant, or says why not; then the orders go elsewhere. */
export function hearGrantAnswer(shard: Shard, { answer, ...asked }: Asked & { readonly answer: GrantAnswer }, at: Moment): Say[] {
  const lease = shard.leases.get(asked.lease)
  const pending = pendingOf(lease, asked)
  if (lease === undefined || pending === null) return hearLate(shard, lease, asked, answer, at)
  lease.pending = null
  shard.roster.get(lease.sender)?.asked.delete(lease.id)
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
  return [refused(lease, answer.because, pending.orders.length)]
}

/** Grants that have waited for their answer long enough: the sender may hold the lease. It counts until it must be over. */
export function endWaits(shard: Shard, at: Moment): Say[] {
  const says: Say[] = []
  for (const lease of shard.leases.values())
    if (lease.pending !== null && at.mono - lease.pending.askedAt >= GRANT_TIMEOUT_MS) says.push(...leaveUnanswered(lease, lease.pending, at))
  return says
}

/** No answer will be heard any more. What is still nobody's goes on; what was asked a moment ago (our connection broke) may be with the sender and comes back by itself. */
export function hearGrantTimeOut(shard: Shard, asked: Asked, at: Moment): Say[] {
  const lease = shard.leases.get(asked.lease)
  const pending = pendingOf(lease, asked)
  if (lease !== undefined && pending !== null) return leaveUnanswered(lease, pending, at)
  takeBack(shard, unsureOf(lease, asked), at)
  return []
}

/** The word of a sender that was stalled, or that closed the lease meanwhile. */
function hearLate(shard: Shard, lease: HeldLease | undefined, asked: Asked, answer: GrantAnswer, at: Moment): Say[] {
  if (answer.kind === 'accepted') {
    if (lease === undefined) return [] // its reports will tell of it
    become(lease, 'held')
    for (const { seq } of asked.orders) {
      const order = lease.orders.get(seq)
      if (order?.unsure) lease.orders.set(seq, { ...order, unsure: false })
    }
    return []
  }
  const free = unsureOf(lease, asked)
  if (lease !== undefined) {
    const sender = shard.roster.get(lease.sender)
    if (sender !== undefined) hearRefusal(sender, lease.ip, answer.because, at.mono)
    for (const { seq, order } of free) if (lease.orders.delete(seq)) lease.queued = Math.max(0, lease.queued - order.count)
    // A lease that no answer and no report has ever confirmed is not there.
    if (lease.mode === 'asked' && lease.pending === null) dropLease(shard, lease)
    else if (ENDED_THERE.has(answer.because)) become(lease, 'ending')
  }
  takeBack(shard, free, at)
  return lease === undefined ? [] : [refused(lease, answer.because, free.length)]
}

/** A lease of before goes on: its reports tell. A new one that nobody confirmed takes no orders and is not renewed before it is reported. */
function leaveUnanswered(lease: HeldLease, { orders }: Pending, at: Moment): Say[] {
  lease.pending = null
  lease.mustEnd = Math.max(lease.mustEnd, at.mono + LEASE_MS + GUARD_MS)
  hold(lease, orders, 'unsure')
  return [{ say: 'event', event: { event: 'grantUnanswered', ...nameOf(lease), orders: orders.length } }]
}

type Pending = NonNullable<HeldLease['pending']>

/** What the lease waits for, if it is this grant's answer. */
function pendingOf(lease: HeldLease | undefined, { orders }: Asked): Pending | null {
  const pending = lease?.pending ?? null
  const isIt = pending !== null && pending.orders.length === orders.length && pending.orders[0]?.held.seq === orders[0]?.seq
  return isIt ? pending : null
}

/** The grant's orders of which it is not known who has them: those that came back meanwhile are left out. */
function unsureOf(lease: HeldLease | undefined, { orders }: Asked): readonly HeldOrder[] {
  return lease === undefined ? orders : orders.filter(({ seq }) => lease.orders.get(seq)?.unsure === true)
}

/** A sender refuses more orders for a lease that it holds only when it has ended it by itself. */
const ENDED_THERE: ReadonlySet<string> = new Set(['no-room', 'stopping', 'source-held', 'ip-unusable'])

function hold(lease: HeldLease, orders: readonly Waiting[], how: 'sure' | 'unsure'): void {
  for (const { held } of orders) {
    lease.orders.set(held.seq, { count: held.order.count, lane: held.order.lane, unsure: how === 'unsure', held })
    lease.queued += held.order.count
  }
}

function giveBack(shard: Shard, waiting: Waiting, at: Moment): void {
  const site = shard.sites.get(waiting.held.order.site)
  if (site !== undefined) enqueue(site.queue, waiting, at.now)
}

function refused(lease: HeldLease, because: string, orders: number): Say {
  return { say: 'event', event: { event: 'grantRefused', ...nameOf(lease), because, orders } }
}

export function nameOf(lease: HeldLease): Pick<Extract<RouterEvent, { event: 'ended' }>, 'lease' | 'sender' | 'site' | 'ip'> {
  return { lease: lease.id, sender: lease.sender, site: lease.site, ip: lease.ip }
}
