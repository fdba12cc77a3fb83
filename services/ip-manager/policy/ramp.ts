import type { EpochMs } from '../../../protocol/words.ts'

/** The warm-up of one (IP × site), delivery.md §7: how much may leave in a rolling day and hour, and when that grows. Plain data. */
export interface Ramp {
  /** step of the ramp, from 1 */
  readonly day: number
  /** mails of a rolling 24 h at this step */
  readonly limit: number
  /** when the step's day began */
  readonly dayAt: EpochMs
  /** since then */
  readonly sent: number
  /** deferrals since then that blame source or rate */
  readonly blamed: number
  /** mails by slot of ten minutes over the last 24 h, oldest first; empty slots are left out */
  readonly slots: readonly Slot[]
}
interface Slot {
  /** epoch ÷ SLOT_MS */
  readonly slot: number
  readonly sent: number
}

export interface RampPlan {
  /** mails of the first day where the provider row names no hourly start */
  readonly start: number
  /** each step is so many times the one before */
  readonly factor: number
  /** a step that reaches it is the last: the pair is steady */
  readonly full: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SLOT_MS = 600_000
/** No hour above this share of the step: a day's mail in one burst looks like a stolen machine. */
const HOUR_SHARE = 0.15
/** The step advances only on days that used so much of it: receivers raise their trust by what they have seen. */
const USED_SHARE = 0.5
/** More blaming deferrals than this hold the step. */
const HELD_SHARE = 0.005

/** The first step: the row's hourly start is the hour's cap. */
export function firstStep(plan: RampPlan, hourlyStart: number | null, now: EpochMs): Ramp {
  return step(1, hourlyStart === null ? plan.start : Math.round(hourlyStart / HOUR_SHARE), now)
}

/** Back after a long silence: half of its best day, and never below a first step. */
export function halfOfBest(bestDay: number, plan: RampPlan, hourlyStart: number | null, now: EpochMs): Ramp {
  return step(1, Math.max(Math.round(bestDay / 2), firstStep(plan, hourlyStart, now).limit), now)
}

function step(day: number, limit: number, now: EpochMs): Ramp {
  return { day, limit, dayAt: now, sent: 0, blamed: 0, slots: [] }
}

/** What left (delivered, or refused after it was tried) and how much of it blamed us. */
export function countRamp(ramp: Ramp, sent: number, blamed: number, now: EpochMs): Ramp {
  const slot = Math.floor(now / SLOT_MS)
  const kept = ramp.slots.filter((one) => one.slot > slot - DAY_MS / SLOT_MS)
  const last = kept.at(-1)
  const slots = sent === 0 ? kept : last?.slot === slot ? [...kept.slice(0, -1), { slot, sent: last.sent + sent }] : [...kept, { slot, sent }]
  return { ...ramp, sent: ramp.sent + sent, blamed: ramp.blamed + blamed, slots }
}

/** At the end of the step's day: the next step, or the same again. Null while the day lasts. */
export function advanceRamp(ramp: Ramp, plan: RampPlan, now: EpochMs): Ramp | null {
  if (now - ramp.dayAt < DAY_MS) return null
  const used = ramp.sent >= ramp.limit * USED_SHARE
  const held = ramp.blamed > ramp.sent * HELD_SHARE
  const grows = used && !held
  return { ...ramp, day: grows ? ramp.day + 1 : ramp.day, limit: grows ? Math.round(ramp.limit * plan.factor) : ramp.limit, dayAt: now, sent: 0, blamed: 0 }
}

export function isRampFull(ramp: Ramp, plan: RampPlan): boolean {
  return ramp.limit >= plan.full
}

/** Mails that may leave now. Slots count whole as long as any of them lies within the hour or day: never more than the rolling number. */
export function rampLeft(ramp: Ramp, now: EpochMs): number {
  return Math.max(0, Math.floor(Math.min(ramp.limit - sentSince(ramp, now - DAY_MS), hourLimit(ramp) - sentSince(ramp, now - HOUR_MS))))
}

/** When there is room again, if there is none now. */
export function rampRoomAt(ramp: Ramp, now: EpochMs): EpochMs {
  if (rampLeft(ramp, now) > 0) return now
  const lasts = sentSince(ramp, now - DAY_MS) >= ramp.limit ? DAY_MS : HOUR_MS
  const oldest = ramp.slots.find((one) => isWithin(one, now - lasts))
  return oldest ? (oldest.slot + 1) * SLOT_MS + lasts : now + SLOT_MS
}

export function sentToday(ramp: Ramp, now: EpochMs): number {
  return sentSince(ramp, now - DAY_MS)
}

/** At least one mail an hour, else a small step could never be used. */
function hourLimit(ramp: Ramp): number {
  return Math.max(1, ramp.limit * HOUR_SHARE)
}

function sentSince(ramp: Ramp, from: EpochMs): number {
  return ramp.slots.reduce((sum, one) => (isWithin(one, from) ? sum + one.sent : sum), 0)
}

function isWithin({ slot }: Slot, from: EpochMs): boolean {
  return (slot + 1) * SLOT_MS > from
}
