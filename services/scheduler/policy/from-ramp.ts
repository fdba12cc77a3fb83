import type { EpochMs } from '../../../protocol/words.ts'
import { type Day, counted, fitsAt } from './day.ts'

/** A From domain at a site that had never seen it (delivery.md §7): so many a day from its first mail on, more each day, until it is known. Plain data. */
export interface FromRamp {
  readonly firstAt: EpochMs
  readonly lastAt: EpochMs
  readonly day: Day
}

export interface FromPlan {
  /** mails of the first day; 0 = no ramp */
  readonly start: number
  readonly factor: number
}

const DAY_MS = 86_400_000
/** From its eleventh day on (5 million by the usual plan) it is known. */
const KNOWN_AFTER_DAYS = 10
/** Silent for so long it is a stranger again, as a source is. */
const FORGOTTEN_AFTER_MS = 30 * DAY_MS

export function newRamp(now: EpochMs): FromRamp {
  return { firstAt: now, lastAt: now, day: [] }
}

export function isForgotten({ lastAt }: FromRamp, now: EpochMs): boolean {
  return now - lastAt >= FORGOTTEN_AFTER_MS
}

/** Mails of the day that goes on; null = known there. */
export function limitOf({ firstAt }: FromRamp, { start, factor }: FromPlan, now: EpochMs): number | null {
  const days = Math.floor((now - firstAt) / DAY_MS)
  return start === 0 || days >= KNOWN_AFTER_DAYS ? null : Math.floor(start * factor ** days)
}

/** When `count` more may go: now, when a slot leaves the rolling day, or with the next step. */
export function roomAt(ramp: FromRamp, plan: FromPlan, count: number, now: EpochMs): EpochMs {
  const limit = limitOf(ramp, plan, now)
  if (limit === null) return now
  const fits = fitsAt(ramp.day, count, limit, now)
  const nextStep = ramp.firstAt + (Math.floor((now - ramp.firstAt) / DAY_MS) + 1) * DAY_MS
  return fits <= now ? now : Math.min(fits, nextStep)
}

export function sent(ramp: FromRamp, count: number, now: EpochMs): FromRamp {
  const isKnown = now - ramp.firstAt >= KNOWN_AFTER_DAYS * DAY_MS
  return { ...ramp, lastAt: now, day: isKnown ? [] : counted(ramp.day, count, now) }
}
