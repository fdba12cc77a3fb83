/** How far back "per second" looks. */
const OVER_MS = 2_000

/** An exponential mean of events per second: `count` of them came in the last `sinceMs`. */
export function smoothed(perS: number, count: number, sinceMs: number): number {
  const ms = Math.max(1, sinceMs)
  return perS + ((count * 1_000) / ms - perS) * (1 - Math.exp(-ms / OVER_MS))
}
