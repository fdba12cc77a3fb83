import type { EpochMs } from '../../../../protocol/words.ts'
import type { StsPolicy } from './mta-sts.ts'

/** What is remembered of a domain's policy. */
export interface StsKnown {
  readonly policy: StsPolicy
  readonly fetchedAt: EpochMs
}

/** Policies are fetched anew so often even while their id stands: who blocks a domain's TXT record must not be able to wait for `max_age` (RFC 8461 10.2). */
export const REFRESH_MS = 86_400_000
/** A policy host that failed is not asked again for so long (RFC 8461 3.3 suggests 5 min). */
export const FETCH_REST_MS = 300_000

/**
 * What to do for a mail to a domain of which this is known and whose TXT record announces `announced` (null: nothing, or DNS does not say).
 *   keep     use what is known, be it nothing
 *   fetch    ask first; what is known counts when that fails
 *   refresh  use what is known and ask beside it
 */
export function stsStep(known: StsKnown | null, announced: string | null, failedAt: EpochMs | null, now: EpochMs): 'keep' | 'fetch' | 'refresh' {
  if (announced === null) return 'keep'
  if (failedAt !== null && now < failedAt + FETCH_REST_MS) return 'keep'
  const live = liveAt(known, now)
  if (live === null || live.policy.id !== announced) return 'fetch'
  return now >= live.fetchedAt + REFRESH_MS ? 'refresh' : 'keep'
}

/** What is known while its `max_age` lasts; a failed refresh does not shorten it, a vanished TXT record neither (RFC 8461 3.3). */
export function liveAt(known: StsKnown | null, now: EpochMs): StsKnown | null {
  return known !== null && now < known.fetchedAt + known.policy.maxAgeS * 1_000 ? known : null
}
