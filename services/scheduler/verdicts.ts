import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import { bitsOf, type Mask } from '../../protocol/mask.ts'
import type { Batch, Claim } from '../../protocol/messages/mail.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { FinalOutcome, ReplyClass } from '../../protocol/words.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { isStale } from '../runtime/errors.ts'

/** What the scheduler itself decides about recipients, without any SMTP. */
export interface OwnVerdict {
  readonly outcome: Exclude<FinalOutcome, 'delivered'>
  readonly class: ReplyClass
  readonly blames: Outcome['blames']
  readonly because: string | null
}

export interface Deciding {
  readonly bus: Bus
  readonly clock: Clock
  readonly nodeId: string
}

/**
 * Writes final outcomes for recipients of a batch that no sender works on, fenced like a sender's: a claim, then outcomes that expect it.
 * `refused`: a sender claimed this or a later attempt, so what is said of its recipients is its business.
 */
export async function decide(
  { bus, clock, nodeId }: Deciding,
  batch: Batch,
  batchSeq: number,
  attempt: number,
  orderId: number,
  verdicts: ReadonlyMap<number, OwnVerdict>,
): Promise<'durable' | 'refused'> {
  const names = { tenant: batch.tenant, campaign: batch.campaign, batch: batchSeq }
  const on = subject('claim', names)
  const last = await bus.readLast(STREAM.outcomes, on)
  if (last) {
    const standing = decode<Claim>(last.body)
    const ours = standing.sender === OWNER && standing.attempt === attempt && standing.order === orderId
    if (standing.attempt > attempt || (standing.attempt === attempt && !ours)) return 'refused'
  }
  const mask = maskOfKeys(verdicts, batch.recipients.length)
  const claim = await bus.store(on, encode({ attempt, order: orderId, sender: OWNER, mask } satisfies Claim), { rollup: true, expect: { seq: last?.seq ?? 0 } })
  if (claim.kind === 'refused') {
    if (isStale(claim)) return 'refused'
    throw new Error(`claim ${on} by ${nodeId} refused: ${claim.code} ${claim.message}`)
  }
  const outcomes = [...verdicts].map(([n, verdict]) => outcomeOf(batch, n, verdict))
  const chunk: OutcomeChunk = { v: 1, ...names, attempt, at: rfc3339(clock.now()), outcomes }
  const stored = await bus.store(subject('outcome', names), encodeJson(chunk), { expect: { seq: claim.seq, on } })
  if (stored.kind === 'stored') return 'durable'
  if (isStale(stored)) return 'refused'
  throw new Error(`outcomes on ${subject('outcome', names)} refused: ${stored.code} ${stored.message}`)
}

/** The claimant's name where no sender is meant; no process has it, so a sender takes such a claim over only if the scheduler died in between. */
const OWNER = 'scheduler'

function maskOfKeys(verdicts: ReadonlyMap<number, OwnVerdict>, size: number): Mask {
  const mask = new Uint8Array(Math.ceil(size / 8))
  for (const n of verdicts.keys()) mask[n >> 3] = (mask[n >> 3] ?? 0) | (1 << (n & 7))
  return mask
}

function outcomeOf(batch: Batch, n: number, verdict: OwnVerdict): Outcome {
  const recipient = batch.recipients[n]
  return {
    n,
    ref: recipient?.ref ?? null,
    rcpt: recipient?.address ?? '',
    outcome: verdict.outcome,
    stage: null,
    code: null,
    enhanced: null,
    reply: verdict.because,
    class: verdict.class,
    blames: verdict.blames,
    mx: null,
    ip: null,
    site: batch.site,
    ms: null,
  }
}

/** One verdict for everybody in the mask. */
export function forAll(mask: Mask, verdict: OwnVerdict): Map<number, OwnVerdict> {
  return new Map(bitsOf(mask).map((n) => [n, verdict]))
}
