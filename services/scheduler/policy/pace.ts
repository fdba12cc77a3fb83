import type { EpochMs } from '../../../protocol/words.ts'

/** Recipients that may be released now, and when that was true. Whole batches are released, so it may go into debt, which then has to be earned. */
export interface Allowed {
  allowed: number
  at: EpochMs
}

/** What a pace earns: at most one second ahead. */
export function earn(allowed: Allowed, perS: number, now: EpochMs): void {
  if (allowed.at === 0) Object.assign(allowed, { allowed: 1, at: now })
  allowed.allowed = Math.min(Math.max(1, perS), allowed.allowed + ((now - allowed.at) / 1_000) * perS)
  allowed.at = now
}

/** When there is room for a recipient again. */
export function earnedAt({ allowed }: Allowed, perS: number, now: EpochMs): EpochMs {
  return allowed >= 1 ? now : now + Math.max(50, (1_000 * (1 - allowed)) / perS)
}
