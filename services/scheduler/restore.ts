import { decode } from '../../protocol/codec.ts'
import { type ExpansionCursor, type ReleaseCursor, readBatch } from '../../protocol/messages/mail.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { NOTHING_READ, type Running } from './campaigns.ts'
import { queueOf } from './expansion.ts'

/**
 * What the stream says about a campaign: how far its list has been read, and which batches stand behind their site's release cursor.
 * Read at the leader; called when a term begins and whenever a write's fate is unknown.
 */
export async function restoreQueues(bus: Bus, running: Running): Promise<void> {
  const names = { tenant: running.record.tenant, campaign: running.record.id }
  const last = await bus.readLast(STREAM.mail, subject('expansionCursor', names))
  running.expansion = last ? decode<ExpansionCursor>(last.body) : NOTHING_READ
  running.expansionSeq = last?.seq ?? 0
  running.queues.clear()
  const released = new Map<string, number>()
  for await (const { body, seq } of bus.scan(STREAM.mail, wildcard('batch', names))) {
    const batch = readBatch(body)
    if (batch === null) continue // its order, if there is one, is parked; a batch that was never released cannot be read later either
    const queue = queueOf(running, batch)
    let upTo = released.get(batch.site)
    if (upTo === undefined) {
      const cursor = await bus.readLast(STREAM.mail, subject('releaseCursor', { ...names, site: token(batch.site) }))
      queue.cursorSeq = cursor?.seq ?? 0
      upTo = cursor === null ? 0 : absolute(decode<ReleaseCursor>(cursor.body).released, cursor.seq)
      released.set(batch.site, upTo)
    }
    if (seq > upTo) queue.batches.push({ seq, count: batch.recipients.length })
  }
}

/** A cursor written in one atomic batch with its batch names it by distance. */
function absolute(released: number, seq: number): number {
  return released < 0 ? seq + released : released
}
