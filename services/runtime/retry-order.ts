import { encode } from '../../protocol/codec.ts'
import { type Order, readOrder } from '../../protocol/messages/mail.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { EpochMs } from '../../protocol/words.ts'
import type { Bus, Stored } from './bus/types.ts'
import { isStale } from './errors.ts'

/**
 * Puts a batch's one retry order on the server's schedule. It replaces what an earlier or the same attempt left there, never a later one's:
 * a claim fences outcomes, not orders, so whoever was stopped for long and speaks of an attempt that is over is told so here.
 */
export async function restOrder(bus: Bus, batchSeq: number, order: Order, at: EpochMs): Promise<Stored | 'later-one-rests'> {
  const on = subject('laterRetry', { tenant: order.tenant, campaign: order.campaign, batch: batchSeq })
  const target = subject('due', { lane: order.lane })
  for (let seq = 0; ; ) {
    const stored = await bus.store(on, encode(order), { at, target, expect: { seq } })
    if (stored.kind === 'stored' || !isStale(stored)) return stored
    const resting = await bus.readLast(STREAM.mail, on)
    if (resting !== null && (readOrder(resting.body)?.attempt ?? 0) > order.attempt) return 'later-one-rests'
    seq = resting?.seq ?? 0
  }
}
