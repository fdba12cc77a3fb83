import { become, type HeldLease } from '../held-lease.ts'
import type { Moment, Shard } from '../state.ts'
import { emptiest } from './roster.ts'

/** A sender with so many more free sessions than another is worth a move, which costs the warm sessions of a lease. */
const WORTH_SESSIONS = 10

/**
 * Senders come and go, and a busy pair never lets go of its lease by itself: so the lease of the fullest sender fades when another has much more room,
 * and the pair's next lease goes to the emptiest. Where sites wait because a sender has no room at all, its largest lease makes room.
 * One lease at a time, so that the effect is seen before the next.
 */
export function rebalance(shard: Shard, at: Moment): HeldLease | null {
  let worst: { readonly lease: HeldLease; readonly gain: number } | null = null
  for (const lease of shard.leases.values()) {
    if (lease.mode === 'fading') return null
    const sender = shard.roster.get(lease.sender)
    if (lease.mode !== 'held' || lease.pending !== null || sender === undefined) continue
    if (at.mono < sender.wantedUntil && lease.numbers.sessions > (worst?.gain ?? 0)) {
      worst = { lease, gain: lease.numbers.sessions }
      continue
    }
    const other = emptiest(shard.roster, shard.holders, lease.ip, at.mono)
    if (other === null || other.id === lease.sender) continue
    const gain = other.free - sender.free - 2 * lease.numbers.sessions
    if (gain >= Math.max(WORTH_SESSIONS, other.free / 10) && (worst === null || gain > worst.gain)) worst = { lease, gain }
  }
  if (worst !== null) become(worst.lease, 'fading')
  return worst?.lease ?? null
}
