import { SUPPRESSION_REASONS, type SuppressionReason } from '../../../protocol/messages/ops.ts'
import type { Kind } from '../../../protocol/words.ts'

/** An unknown user is tried once more after half a year (delivery.md §8). */
const UNKNOWN_USER_MS = 180 * 86_400_000

/** One bit a reason that holds this kind of mail back. Of whom a campaign's list is unsubscribed is asked apart. */
export const HELD_BY: Readonly<Record<Kind, number>> = {
  marketing: bitsOf(() => true),
  notice: bitsOf((reason) => reason !== 'unsubscribe'),
  // A receipt goes out to whom it concerns, also if that mailbox was full; but not to nobody, and not against a person's word.
  transactional: bitsOf((reason) => reason === 'unknown-user' || reason === 'by-hand'),
}

export function reasonNumber(reason: SuppressionReason): number {
  return SUPPRESSION_REASONS.indexOf(reason)
}

/** Until when an entry counts that says nothing of it; null = for good. */
export function untilOf(reason: SuppressionReason, since: number): number | null {
  return reason === 'unknown-user' ? since + UNKNOWN_USER_MS : null
}

function bitsOf(holds: (reason: SuppressionReason) => boolean): number {
  return SUPPRESSION_REASONS.reduce((bits, reason, at) => (holds(reason) ? bits | (1 << at) : bits), 0)
}
