import { decode } from '../../protocol/codec.ts'
import { batchSeqOf, type ExpansionCursor, type ReleaseCursor, readBatch, readOrder } from '../../protocol/messages/mail.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { newSample, SAMPLE } from './policy/sample.ts'
import { type Campaigns, NOTHING_READ, type Running, type SiteQueue } from './campaigns.ts'

/** Who cuts batches and who reads them again take turns, or a batch cut meanwhile would be in the queues twice, out of order, or not at all. */
export function inTurn<T>(running: Running, act: () => Promise<T>): Promise<T> {
  const mine = running.turn.then(act)
  // How it ended is the caller's business; the next one only waits for it.
  running.turn = mine.then(
    () => {},
    () => {},
  )
  return mine
}

/**
 * What the stream says about a campaign: how far its list has been read, and which batches stand behind their site's release cursor.
 * Read at the leader; called when a term begins and whenever a write's fate is unknown. The queues change in one step, when all is read.
 */
export async function restoreQueues(bus: Bus, running: Running): Promise<void> {
  running.restores++
  try {
    await inTurn(running, () => read(bus, running))
  } finally {
    running.restores--
  }
}

async function read(bus: Bus, running: Running): Promise<void> {
  const names = { tenant: running.record.tenant, campaign: running.record.id }
  const last = await bus.readLast(STREAM.mail, subject('expansionCursor', names))
  const queues = new Map<string, SiteQueue>()
  const released = new Map<string, number>()
  for await (const { body, seq } of bus.scan(STREAM.mail, wildcard('batch', names))) {
    const batch = readBatch(body)
    if (batch === null) continue // its order, if there is one, is parked; a batch that was never released cannot be read later either
    const queue = queueOf(queues, batch)
    let upTo = released.get(batch.site)
    if (upTo === undefined) {
      const cursor = await bus.readLast(STREAM.mail, subject('releaseCursor', { ...names, site: token(batch.site) }))
      queue.cursorSeq = cursor?.seq ?? 0
      // After a restart whatever went before was the sample; what of it is still silent decides as ever.
      if (cursor !== null) Object.assign(queue.sample, running.queues.get(batch.site)?.sample ?? { released: SAMPLE.least })
      upTo = cursor === null ? 0 : absolute(decode<ReleaseCursor>(cursor.body).released, cursor.seq)
      released.set(batch.site, upTo)
    }
    if (seq > upTo) queue.batches.push({ seq, count: batch.recipients.length })
    else running.underWay.released(seq, batch.site, batch.recipients.length)
  }
  running.expansion = last ? decode<ExpansionCursor>(last.body) : NOTHING_READ
  running.expansionSeq = last?.seq ?? 0
  running.queues.clear()
  for (const [site, queue] of queues) running.queues.set(site, queue)
}

/** Where batches are that have no message of their own: within their orders, which wait for a router, a time or the due check. */
export async function restoreUnderWay(bus: Bus, campaigns: Pick<Campaigns, 'get'>): Promise<void> {
  for (const row of ['order', 'due', 'laterRest', 'laterRetry'] as const) {
    for await (const { body, seq } of bus.scan(STREAM.mail, wildcard(row))) {
      const order = readOrder(body)
      const batch = order?.inline === undefined ? null : readBatch(order.inline)
      if (order === null || batch === null) continue
      campaigns.get(order.tenant, order.campaign)?.underWay.released(batchSeqOf({ order, seq }), order.site, batch.recipients.length)
    }
  }
}

/** A campaign's queue of one site; made when it is the first batch there. */
export function queueOf(queues: Map<string, SiteQueue>, { site, provider, shard }: Pick<SiteQueue, 'site' | 'provider' | 'shard'>): SiteQueue {
  const known = queues.get(site)
  if (known) return known
  const queue = { site, provider, shard, batches: [], cursorSeq: 0, sample: newSample() }
  queues.set(site, queue)
  return queue
}

/** A cursor written in one atomic batch with its batch names it by distance. */
function absolute(released: number, seq: number): number {
  return released < 0 ? seq + released : released
}
