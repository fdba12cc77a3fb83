import type { LeaseReport } from '../../../protocol/messages/permission.ts'
import { become, type HeldLease, NOTHING } from '../held-lease.ts'
import { dropLease, type Moment, type Shard } from '../state.ts'
import { nameOf } from './answers.ts'
import { takeBack } from './copies.ts'
import type { Say } from './messages.ts'

/** From now on it is not renewed and takes nothing; it counts until it is closed or its time must be over. */
export function endLease(lease: HeldLease, because: string): Say[] {
  const was = lease.mode
  return become(lease, 'ending') ? [{ say: 'event', event: { event: 'ended', ...nameOf(lease), was, because, orders: lease.orders.size } }] : []
}

/** Nothing of it is left at its sender. Orders that it did not end are nobody's: they are handed on (the claim tells of one that lives on where we cannot hear it). */
export function drop(shard: Shard, lease: HeldLease, because: string, at: Moment): Say[] {
  const says = endLease(lease, because)
  dropLease(shard, lease)
  takeBack(
    shard,
    [...lease.orders.values()].flatMap(({ held }) => held ?? []),
    at,
  )
  return says
}

/** What still stands of a lease whose time was counted as over. */
export function strayLease(sender: string, { lease: id, ip, site, pool, open, lingering, queued }: LeaseReport, at: Moment): HeldLease {
  return {
    id,
    sender,
    ip,
    site,
    pool,
    mode: 'ending',
    numbers: NOTHING,
    before: [],
    budget: null,
    mustEnd: at.mono,
    pending: null,
    open,
    lingering,
    queued,
    orders: new Map(),
    perS: 0,
    reportedAt: at.mono,
    busyAt: at.mono,
  }
}
