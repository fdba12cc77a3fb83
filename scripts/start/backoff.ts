/** How long to wait before a process that died is started again. */
const FIRST_MS = 100 // a kill is over at once; its shards wait
const MOST_MS = 10_000 // a process that cannot start costs a try now and then
/** Whoever lived this long was well: the next death is a first one again. */
const WELL_AFTER_MS = 30_000

export function pauseBeforeRestart(lastPauseMs: number | null, livedMs: number): number {
  if (lastPauseMs === null || livedMs >= WELL_AFTER_MS) return FIRST_MS
  return Math.min(MOST_MS, lastPauseMs * 2)
}
