import type { EpochMs } from '../../../protocol/words.ts'

/** What one IP carried at one site in the last minute, by slots of ten seconds, oldest first. Plain data, ≤ 7 entries. */
export type Recent = readonly { readonly slot: number; readonly sent: number }[]

const SLOT_MS = 10_000
const SLOTS = 6

export function carried(recent: Recent, sent: number, now: EpochMs): Recent {
  const slot = Math.floor(now / SLOT_MS)
  const kept = recent.filter((one) => one.slot > slot - SLOTS)
  const last = kept.at(-1)
  return last?.slot === slot ? [...kept.slice(0, -1), { slot, sent: last.sent + sent }] : [...kept, { slot, sent }]
}

/** Mails in the last minute, and how many that was a second, from the first of them on. */
export function rateOf(recent: Recent, now: EpochMs): { readonly mails: number; readonly perS: number } {
  const kept = recent.filter((one) => one.slot > Math.floor(now / SLOT_MS) - SLOTS)
  const mails = kept.reduce((sum, one) => sum + one.sent, 0)
  const sinceMs = now - (kept[0]?.slot ?? 0) * SLOT_MS
  return { mails, perS: mails === 0 ? 0 : mails / Math.max(1, sinceMs / 1_000) }
}
