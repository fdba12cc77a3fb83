/** A sliding window: when the last few things of one source happened. Only `limit + 1` times are ever kept. */
export type Window = readonly number[]

/** Adds `now` and tells how many fall into the last `overMs`, `now` included; counts up to `limit + 1`, which is all that a limit needs. */
export function slide(window: Window, now: number, overMs: number, limit: number): { readonly window: Window; readonly count: number } {
  const kept = window.filter((at) => now - at < overMs)
  kept.push(now)
  while (kept.length > limit + 1) kept.shift()
  return { window: kept, count: kept.length }
}
