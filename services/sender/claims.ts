import { decode, encode } from '../../protocol/codec.ts'
import { bitsOf, type Mask, maskOf } from '../../protocol/mask.ts'
import { batchSeqOf, type Claim, type HeldOrder, orderId } from '../../protocol/messages/mail.ts'
import { type Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { isStale } from '../runtime/errors.ts'
import type { ClaimPen } from './claim-pen.ts'
import { decideClaim, holderOf, type Standing } from './policy/claim.ts'

export type Claimed =
  | { readonly kind: 'mine'; readonly claimSeq: number; readonly maybe: Mask; readonly prior: readonly Outcome[] }
  | { readonly kind: 'drop'; readonly because: string }
  | { readonly kind: 'elsewhere'; readonly holder: string }

interface Claimant {
  readonly bus: Bus
  readonly pen: ClaimPen
  readonly sender: string
  /** asked at the leader, of a claim that somebody else made on the very order */
  readonly isAlive: (sender: string) => Promise<boolean>
}

/** The holder's name in a claim that nobody works under. No process has it, so whoever gets the order next takes the claim over. */
const NOBODY = ''

/**
 * Puts this sender's mark on a batch before its first transaction; the caller has seen to it that this process is not at work on the order.
 * Throws Infrastructure when it cannot be known; then `disclaim`.
 */
export async function claimBatch(held: HeldOrder, { bus, pen, sender, isAlive }: Claimant): Promise<Claimed> {
  const { order } = held
  const id = orderId(held)
  const on = subject('claim', { tenant: order.tenant, campaign: order.campaign, batch: batchSeqOf(held) })
  const body = encode({ attempt: order.attempt, order: id, sender, mask: order.mask } satisfies Claim)
  // A first attempt almost always finds nothing: it is claimed blindly, at one round trip.
  let standing: Standing | null = order.attempt === 0 && order.id === undefined ? null : await readStanding(bus, on)
  for (;;) {
    const claimed = { id, attempt: order.attempt }
    const holder = holderOf(claimed, standing)
    // Our own mark is of a former hand: the caller knows that we are not at work on it.
    const holderWorks = holder !== null && holder !== NOBODY && holder !== sender && (await isAlive(holder))
    const decision = decideClaim(claimed, standing, holderWorks)
    if (decision.kind === 'drop') return decision
    // Its holder lives, and may have done with it. Then only the ack was lost, and this copy would go from hand to hand until it met that very sender.
    if (decision.kind === 'elsewhere') return isOver(held, await outcomesOf(bus, held)) ? { kind: 'drop', because: 'settled' } : decision
    const stored = await pen.write({ subject: on, body, rollup: true, expect: { seq: decision.expect } })
    if (stored.kind === 'stored') {
      if (decision.kind === 'claim') return { kind: 'mine', claimSeq: stored.seq, maybe: order.maybe ?? new Uint8Array(0), prior: [] }
      const prior = await outcomesOf(bus, held)
      return { kind: 'mine', claimSeq: stored.seq, maybe: suspects(decision.from.claim.mask, prior, order.maybe), prior }
    }
    if (!isStale(stored)) throw new Error(`claim ${on} refused: ${stored.code} ${stored.message}`)
    standing = await readStanding(bus, on) // somebody was faster: look again
  }
}

/** Takes our mark away if it stands: a claim that names a living sender keeps every other from the order. */
export async function disclaim(held: HeldOrder, { bus, sender }: Pick<Claimant, 'bus' | 'sender'>): Promise<boolean> {
  const { order } = held
  const on = subject('claim', { tenant: order.tenant, campaign: order.campaign, batch: batchSeqOf(held) })
  const standing = await readStanding(bus, on)
  if (standing?.claim.sender !== sender || standing.claim.order !== orderId(held) || standing.claim.attempt !== order.attempt) return true
  const stored = await bus.store(on, encode({ ...standing.claim, sender: NOBODY } satisfies Claim), { rollup: true, expect: { seq: standing.seq } })
  return stored.kind === 'stored' || isStale(stored)
}

/** Everybody the order means has a final outcome: nothing is left to do, not even a retry order. */
function isOver({ order }: HeldOrder, outcomes: readonly Outcome[]): boolean {
  const final = new Set(outcomes.filter(({ outcome }) => outcome !== 'deferred').map(({ n }) => n))
  return bitsOf(order.mask).every((n) => final.has(n))
}

async function readStanding(bus: Bus, on: string): Promise<Standing | null> {
  const last = await bus.readLast(STREAM.outcomes, on)
  return last && { claim: decode<Claim>(last.body), seq: last.seq }
}

/** What the journal holds of this attempt. Read at the leader and after the new claim stands: the old holder can add nothing any more. */
async function outcomesOf(bus: Bus, held: HeldOrder): Promise<Outcome[]> {
  const { order } = held
  const on = subject('outcome', { tenant: order.tenant, campaign: order.campaign, batch: batchSeqOf(held) })
  const outcomes: Outcome[] = []
  for (let after = 0; ; ) {
    const message = await bus.readNext(STREAM.outcomes, on, after)
    if (message === null) return outcomes
    const chunk = OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(message.body)))
    if (chunk.attempt === order.attempt) outcomes.push(...chunk.outcomes)
    after = message.seq
  }
}

/** Who was in the old holder's hands and has no outcome of its: S2 (a). */
function suspects(old: Mask, prior: readonly Outcome[], carried: Mask | undefined): Mask {
  const told = new Set(prior.map((outcome) => outcome.n))
  const flagged = [...bitsOf(old), ...(carried ? bitsOf(carried) : [])].filter((n) => !told.has(n))
  return maskOf(flagged, old.length * 8)
}
