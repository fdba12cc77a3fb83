import type { EpochMs } from '../../../protocol/words.ts'

/** What was released within the last 24 h, by slots of an hour, oldest first. Plain data, ≤ 25 entries. */
export type Day = readonly { readonly slot: number; readonly count: number }[]

const HOUR_MS = 3_600_000
const SLOTS = 24

/** Slots count whole as long as any of them lies within the day: never more than the rolling number. */
export function countOf(day: Day, now: EpochMs): number {
  return day.reduce((sum, one) => (isWithin(one.slot, now) ? sum + one.count : sum), 0)
}

export function counted(day: Day, count: number, now: EpochMs): Day {
  const slot = Math.floor(now / HOUR_MS)
  const kept = day.filter((one) => isWithin(one.slot, now))
  const last = kept.at(-1)
  return last?.slot === slot ? [...kept.slice(0, -1), { slot, count: last.count + count }] : [...kept, { slot, count }]
}

/** When `count` more fit below `limit`: now, or when enough of the oldest slots have left the day. More than the limit itself fits on an empty day. */
export function fitsAt(day: Day, count: number, limit: number, now: EpochMs): EpochMs {
  let standing = countOf(day, now)
  if (standing === 0 || standing + count <= limit) return now
  for (const one of day) {
    if (!isWithin(one.slot, now)) continue
    standing -= one.count
    if (standing === 0 || standing + count <= limit) return (one.slot + 1 + SLOTS) * HOUR_MS
  }
  return now
}

function isWithin(slot: number, now: EpochMs): boolean {
  return (slot + 1 + SLOTS) * HOUR_MS > now
}
