import type { Claim } from '../../../protocol/messages/mail.ts'

/** What the journal says about a batch when a sender wants to work on it. */
export interface Standing {
  readonly claim: Claim
  readonly seq: number
}

export type ClaimDecision =
  /** nobody works on this attempt: claim, expecting `seq` to be the last */
  | { readonly kind: 'claim'; readonly expect: number }
  /** the same order's holder is gone: claim over it; who has no outcome of this attempt may have been sent to already */
  | { readonly kind: 'take-over'; readonly expect: number; readonly from: Standing }
  /** the work is done or somebody's by another order: ack and drop */
  | { readonly kind: 'drop'; readonly because: 'attempt-over' | 'other-order' }
  /** its holder lives and works on it: leave it alone, it comes back if that changes */
  | { readonly kind: 'elsewhere'; readonly holder: string }

export interface ClaimedOrder {
  readonly id: number
  readonly attempt: number
}

/** Whose life decides whether the order may be had; null = it does not hang on anybody's. */
export function holderOf(order: ClaimedOrder, standing: Standing | null): string | null {
  if (standing === null) return null
  const { claim } = standing
  return claim.attempt === order.attempt && claim.order === order.id ? claim.sender : null
}

/** Decides over a claim by what stands in the journal (design §6 "Claim and journal"). `holderWorks` = who made the claim is at work on it now; asked of a claim on this very order. */
export function decideClaim(order: ClaimedOrder, standing: Standing | null, holderWorks: boolean): ClaimDecision {
  if (standing === null) return { kind: 'claim', expect: 0 }
  const { claim, seq } = standing
  if (claim.attempt < order.attempt) return { kind: 'claim', expect: seq }
  if (claim.attempt > order.attempt) return { kind: 'drop', because: 'attempt-over' }
  if (claim.order !== order.id) return { kind: 'drop', because: 'other-order' }
  return holderWorks ? { kind: 'elsewhere', holder: claim.sender } : { kind: 'take-over', expect: seq, from: standing }
}
