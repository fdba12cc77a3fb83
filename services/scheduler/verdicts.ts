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

/** What the journal says about a batch: the last claim and its sequence. */
export interface Standing {
  readonly claim: Claim
  readonly seq: number
}

export async function readStanding(bus: Bus, batch: { readonly tenant: string; readonly campaign: string }, batchSeq: number): Promise<Standing | null> {
  const last = await bus.readLast(STREAM.outcomes, subject('claim', { tenant: batch.tenant, campaign: batch.campaign, batch: batchSeq }))
  return last && { claim: decode<Claim>(last.body), seq: last.seq }
}

export interface Deciding {
  readonly batch: Batch
  readonly batchSeq: number
  readonly attempt: number
  readonly order: number
  readonly verdicts: ReadonlyMap<number, OwnVerdict>
  /** recipients an earlier holder may have sent to (S2) */
  readonly maybe: Mask
  /** the claim that stands; the caller has seen to it that nobody works under it */
  readonly standing: Standing | null
}

/**
 * Writes final outcomes for recipients of a batch that no sender works on, fenced like a sender's: a claim, then outcomes that expect it.
 * Where the claim was a dead sender's of the same attempt, whom it had in hand and has no outcome is `suspected`. `refused`: somebody was faster.
 */
export async function decide(
  { bus, clock }: { readonly bus: Bus; readonly clock: Clock },
  { batch, batchSeq, attempt, order, verdicts, maybe, standing }: Deciding,
): Promise<{ readonly kind: 'durable'; readonly suspected: readonly number[] } | { readonly kind: 'refused' }> {
  const names = { tenant: batch.tenant, campaign: batch.campaign, batch: batchSeq }
  const on = subject('claim', names)
  const mask = maskOfKeys(verdicts, batch.recipients.length)
  const claim = await bus.store(on, encode({ attempt, order, sender: OWNER, mask } satisfies Claim), { rollup: true, expect: { seq: standing?.seq ?? 0 } })
  if (claim.kind === 'refused') {
    if (isStale(claim)) return { kind: 'refused' }
    throw new Error(`claim ${on} refused: ${claim.code} ${claim.message}`)
  }
  const prior = standing?.claim.attempt === attempt ? await outcomesOf(bus, names, attempt) : new Map<number, Outcome>()
  const dead = standing?.claim.attempt === attempt && standing.claim.sender !== OWNER ? standing.claim.mask : new Uint8Array(0)
  const suspected = bitsOf(dead).filter((n) => !prior.has(n))
  const flagged = new Set([...bitsOf(maybe), ...suspected])
  const outcomes = [...verdicts]
    .filter(([n]) => (prior.get(n)?.outcome ?? 'deferred') === 'deferred')
    .map(([n, verdict]) => outcomeOf(batch, n, verdict, flagged.has(n)))
  if (outcomes.length === 0) return { kind: 'durable', suspected }
  const chunk: OutcomeChunk = { v: 1, ...names, attempt, at: rfc3339(clock.now()), outcomes }
  const stored = await bus.store(subject('outcome', names), encodeJson(chunk), { expect: { seq: claim.seq, on } })
  if (stored.kind === 'stored') return { kind: 'durable', suspected }
  if (isStale(stored)) return { kind: 'refused' }
  throw new Error(`outcomes on ${subject('outcome', names)} refused: ${stored.code} ${stored.message}`)
}

/** What the journal holds of this attempt, by recipient; read after the claim stands, so that its old holder can add nothing. */
async function outcomesOf(bus: Bus, names: { tenant: string; campaign: string; batch: number }, attempt: number): Promise<Map<number, Outcome>> {
  const outcomes = new Map<number, Outcome>()
  for (let after = 0; ; ) {
    const message = await bus.readNext(STREAM.outcomes, subject('outcome', names), after)
    if (message === null) return outcomes
    const chunk = JSON.parse(new TextDecoder().decode(message.body)) as OutcomeChunk
    if (chunk.attempt === attempt) for (const outcome of chunk.outcomes) outcomes.set(outcome.n, outcome)
    after = message.seq
  }
}

/** The claimant's name where no sender is meant; no process has it. */
export const OWNER = 'scheduler'

function maskOfKeys(verdicts: ReadonlyMap<number, OwnVerdict>, size: number): Mask {
  const mask = new Uint8Array(Math.ceil(size / 8))
  for (const n of verdicts.keys()) mask[n >> 3] = (mask[n >> 3] ?? 0) | (1 << (n & 7))
  return mask
}

export function outcomeOf(batch: Batch, n: number, verdict: OwnVerdict, mayBeDuplicate: boolean): Outcome {
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
    ...(mayBeDuplicate && { mayBeDuplicate }),
    ...(SUPPRESSING.has(verdict.class) && { suppress: true }),
  }
}

/** What DNS said of a domain, while its NXDOMAIN may be believed (runtime/dns/control.ts). */
const SUPPRESSING: ReadonlySet<ReplyClass> = new Set(['no-such-domain', 'null-mx'])

/** One verdict for everybody in the mask. */
export function forAll(mask: Mask, verdict: OwnVerdict): Map<number, OwnVerdict> {
  return new Map(bitsOf(mask).map((n) => [n, verdict]))
}
