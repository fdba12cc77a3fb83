import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import { type Moment, type Shard, type Site, siteOf } from '../state.ts'
import { HERE_SILENT_MS } from './numbers.ts'
import { enqueue, everyWaiting } from './queue.ts'

/**
 * A copy of what waits here (then the newer ack subject is the one to use), or of what a sender works on and keeps alive itself. What a silent sender had,
 * or what went out with a grant that never got there, comes back because nobody keeps it alive: it is taken in again, and the claim tells whether somebody
 * works on it after all.
 */
export function isHere(site: Site, { seq, ackSubject }: HeldOrder, at: Moment): boolean {
  for (const pair of site.pairs.values()) {
    for (const lease of pair.leases) {
      if (lease.pending?.orders.some(({ held }) => held.seq === seq)) return true
      const order = lease.orders.get(seq)
      if (order === undefined) continue
      if (!order.unsure && at.mono - lease.reportedAt < HERE_SILENT_MS) return true
      lease.orders.delete(seq)
    }
  }
  for (const waiting of everyWaiting(site.queue)) {
    if (waiting.held.seq !== seq) continue
    waiting.held = { ...waiting.held, ackSubject }
    return true
  }
  return false
}

/**
 * Orders that no sender has any more, to be handed on at once: left alone they would come back only when their ack_wait is over. Nobody has kept them alive
 * of late, so the next look does.
 */
export function takeBack(shard: Shard, orders: Iterable<HeldOrder>, at: Moment): void {
  for (const held of orders) {
    const site = siteOf(shard, held.order.site, held.order.provider, at.mono)
    if (!isHere(site, held, at)) enqueue(site.queue, { held, touchedAt: Number.NEGATIVE_INFINITY }, at.now)
  }
}
