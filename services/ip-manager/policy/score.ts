import type { EpochMs, SourceMode } from '../../../protocol/words.ts'

/** Counts that fade by half every day, so that a score tells of the last days and never needs a reset. Plain data. */
export interface ScoreTally {
  readonly delivered: number
  readonly blamed: number
  readonly complained: number
  readonly at: EpochMs
}

export const EMPTY_TALLY: ScoreTally = { delivered: 0, blamed: 0, complained: 0, at: 0 }

const HALF_LIFE_MS = 86_400_000
/** As many mails are believed to have gone well before the first: one refusal of a new pair is no verdict. */
const PRIOR = 20
/** A fifth of the mail deferred by blame is a half. */
const BLAME_WEIGHT = 5
/** Complaints of 0.3 % (the limit Google and Yahoo name) are a half. */
const COMPLAINT_WEIGHT = 330

export function countScore(
  tally: ScoreTally,
  traffic: { readonly delivered: number; readonly blamed: number; readonly complained: number },
  now: EpochMs,
): ScoreTally {
  const left = fading(tally, now)
  return {
    delivered: tally.delivered * left + traffic.delivered,
    blamed: tally.blamed * left + traffic.blamed,
    complained: tally.complained * left + traffic.complained,
    at: now,
  }
}

/** Reputation of a pair from 0 (bad) to 1 (good):
 *
 *      (delivered + 20) / (delivered + 20 + 5 · blamed + 330 · complained)
 *
 *  over counts with a half-life of a day, where `blamed` are refusals and deferrals that blame source or rate; at most 0.5 while it
 *  cools, at most 0.1 while it is blocked. */
export function scoreOf(tally: ScoreTally, mode: SourceMode, now: EpochMs): number {
  const left = fading(tally, now)
  const good = tally.delivered * left + PRIOR
  const score = good / (good + left * (BLAME_WEIGHT * tally.blamed + COMPLAINT_WEIGHT * tally.complained))
  if (mode === 'blocked') return Math.min(0.1, score)
  return mode === 'cooling' ? Math.min(0.5, score) : score
}

function fading(tally: ScoreTally, now: EpochMs): number {
  return 0.5 ** (Math.max(0, now - tally.at) / HALF_LIFE_MS)
}
