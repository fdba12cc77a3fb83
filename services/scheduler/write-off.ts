import { encode, encodeJson } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import { campaignName } from '../../protocol/ids.ts'
import { maskOf } from '../../protocol/mask.ts'
import { type Batch, type Claim, readBatch } from '../../protocol/messages/mail.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { EpochMs } from '../../protocol/words.ts'
import type { Bus, Entry } from '../runtime/bus/types.ts'
import { Infrastructure, isStale } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Running } from './campaigns.ts'
import { inTurn } from './restore.ts'
import { OWNER, outcomeOf, type OwnVerdict } from './verdicts.ts'

/** of one atomic batch, a claim and a chunk each; the server takes 1,000 messages … */
const ROUND_BATCHES = 400
/** … and should not be given more octets than this at once (facts: 4 MB) */
const ROUND_BYTES = 3_500_000

const CANCELLED: OwnVerdict = { outcome: 'cancelled', class: 'cancelled', blames: 'nobody', because: 'the campaign was cancelled' }

interface Tools {
  readonly bus: Bus
  readonly log: Log
  readonly now: () => EpochMs
  readonly stopping: () => boolean
}

interface Round {
  readonly pairs: [Entry, Entry][]
  bytes: number
}

/**
 * Ends what a cancelled campaign has not released: outcomes for whole rounds of batches instead of an order, a claim, a chunk and a removal for each.
 * A batch's claim lies beside its chunk in the same atomic batch and expects that there is none: so an order of it that nobody knows of is refused at its
 * claim, and a batch that somebody has claimed is left to whoever has it. The batches themselves go when the campaign is buried; a term that begins
 * before finds them in its queues again, and settled. Throws Infrastructure when it is not known what stands: the queues are to be read again then.
 */
export function writeOff(running: Running, tools: Tools): Promise<void> {
  return inTurn(running, () => writeAll(running, tools))
}

async function writeAll(running: Running, tools: Tools): Promise<void> {
  const { record, queues } = running
  if (queues.size === 0) return
  let round: Round = { pairs: [], bytes: 0 }
  let storing: Promise<void> = Promise.resolve()
  let batches = 0
  const store = async () => {
    const { pairs } = round
    round = { pairs: [], bytes: 0 }
    await storing
    storing = storeRound(pairs, tools.bus)
    storing.catch(() => {}) // heard where it is waited for: before the next round, or at the end
  }
  try {
    for await (const { seq, body } of tools.bus.scan(STREAM.mail, wildcard('batch', { tenant: record.tenant, campaign: record.id }))) {
      if (tools.stopping()) break
      const batch = readBatch(body)
      const queue = batch && queues.get(batch.site)
      const place = queue?.batches.findIndex((one) => one.seq >= seq) ?? -1
      if (batch === null || queue?.batches[place]?.seq !== seq) continue // released: it is brought home by its order
      queue.batches.splice(place, 1)
      if (queue.batches.length === 0) queues.delete(queue.site)
      const pair = pairOf(running, batch, seq, tools.now())
      if (pair === null) continue
      batches++
      round.pairs.push(pair)
      round.bytes += pair[1].body.length
      if (round.pairs.length >= ROUND_BATCHES || round.bytes >= ROUND_BYTES) await store()
    }
    if (round.pairs.length > 0) await store()
  } finally {
    await storing
  }
  tools.log.info('written off', { campaign: campaignName(record), batches })
}

/** Null: everybody in it has an outcome already. */
function pairOf({ tally }: Running, batch: Batch, seq: number, now: EpochMs): [Entry, Entry] | null {
  const open = batch.recipients.flatMap((_, n) => (tally.isSettled(seq, n) ? [] : [n]))
  if (open.length === 0) return null
  const names = { tenant: batch.tenant, campaign: batch.campaign, batch: seq }
  // No order has the sequence of a batch: whoever finds this claim has another order than it.
  const claim: Claim = { attempt: 0, order: seq, sender: OWNER, mask: maskOf(open, batch.recipients.length) }
  const outcomes = open.map((n) => outcomeOf(batch, n, CANCELLED, false))
  const chunk: OutcomeChunk = { v: 1, ...names, attempt: 0, at: rfc3339(now), outcomes }
  return [
    { subject: subject('claim', names), body: encode(claim), rollup: true, expect: { seq: 0 } },
    { subject: subject('outcome', names), body: encodeJson(chunk) },
  ]
}

async function storeRound(pairs: readonly [Entry, Entry][], bus: Bus): Promise<void> {
  const stored = await bus.storeAll(pairs.flat())
  if (stored.kind === 'stored') return
  if (stored.kind === 'unknown' || !isStale(stored))
    throw new Infrastructure(
      'unavailable',
      `outcomes of cancelled recipients: ${stored.kind === 'unknown' ? stored.because : `${stored.code} ${stored.message}`}`,
    )
  if (pairs.length === 1) return // somebody has claimed it: what becomes of it, that one says
  // One refused message refuses all: by halves, so that one claimed batch among hundreds costs a few writes more.
  const half = pairs.length >> 1
  await storeRound(pairs.slice(0, half), bus)
  await storeRound(pairs.slice(half), bus)
}
