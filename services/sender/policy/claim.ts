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

/** Decides over a claim by what stands in the journal (design §6 "Claim and journal"). `holds` = this very process is at work on it now. */
export function decideClaim(
  order: { readonly id: number; readonly attempt: number },
  standing: Standing | null,
  me: { readonly sender: string; readonly holds: boolean },
  isAlive: (sender: string) => boolean,
): ClaimDecision {
  if (standing === null) return { kind: 'claim', expect: 0 }
  const { claim, seq } = standing
  if (claim.attempt < order.attempt) return { kind: 'claim', expect: seq }
  if (claim.attempt > order.attempt) return { kind: 'drop', because: 'attempt-over' }
  if (claim.order !== order.id) return { kind: 'drop', because: 'other-order' }
  const holderWorks = claim.sender === me.sender ? me.holds : isAlive(claim.sender)
  return holderWorks ? { kind: 'elsewhere', holder: claim.sender } : { kind: 'take-over', expect: seq, from: standing }
}
