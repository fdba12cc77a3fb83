import type { EpochMs } from '../../../protocol/words.ts'

/** What a pool has to heed at one site beyond its IPs one by one (delivery.md §7, "Blocked mail does not spread"). Plain data. */
export interface PoolAtSite {
  /** latest blame of each IP within the hour */
  readonly blames: Readonly<Record<string, EpochMs>>
  readonly rest: { readonly because: string; readonly until: EpochMs } | null
  /** rests begun within the last 24 h */
  readonly rested: readonly EpochMs[]
  /** IPs that have stopped lending here */
  readonly stopped: readonly string[]
  /** mails a second of each IP when the first of them stopped; empty while all lend */
  readonly shares: Readonly<Record<string, number>>
}

export const QUIET_POOL: PoolAtSite = { blames: {}, rest: null, rested: [], stopped: [], shares: {} }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** An idle IP must still be able to carry a mail that only its pool may send. */
const LEAST_SHARE = 1 / 60

/** Two source-blames from different IPs within an hour, or a third of a larger pool: it is the mail, not the address. */
export function blamesToRest(poolSize: number): number {
  return Math.max(2, Math.ceil(poolSize / 3))
}

/** A source-blame at this site. `rest` is set when the whole pool begins to rest with it. */
export function blamePool(
  pool: PoolAtSite,
  blamed: { readonly ip: string; readonly restMs: number; readonly because: string },
  poolSize: number,
  now: EpochMs,
): { readonly pool: PoolAtSite; readonly rest: PoolAtSite['rest'] } {
  const blames = { ...recent(pool.blames, now), [blamed.ip]: now }
  if ((pool.rest !== null && pool.rest.until > now) || Object.keys(blames).length < blamesToRest(poolSize)) return { pool: { ...pool, blames }, rest: null }
  const rested = [...pool.rested.filter((at) => now - at < DAY_MS), now]
  const until = now + Math.min(DAY_MS, blamed.restMs * 2 ** (rested.length - 1))
  const rest = { because: `pool: ${Object.keys(blames).length} IPs blamed within an hour, last: ${blamed.because}`, until }
  // The blames have had their effect: the next rest needs new ones.
  return { pool: { ...pool, blames: {}, rest, rested }, rest }
}

export function poolRestOf(pool: PoolAtSite, now: EpochMs): PoolAtSite['rest'] {
  return pool.rest !== null && pool.rest.until > now ? pool.rest : null
}

/** An IP has stopped lending here: the others keep the share they had, its mail waits for it. `perS` is what each carried of late. */
export function poolStopped(pool: PoolAtSite, ip: string, perS: Readonly<Record<string, number>>): PoolAtSite {
  if (pool.stopped.includes(ip)) return pool
  return { ...pool, stopped: [...pool.stopped, ip], shares: pool.stopped.length === 0 ? { ...perS } : pool.shares }
}

/** It lends again. When all do, nobody is held to a share any more. */
export function poolLends(pool: PoolAtSite, ip: string): PoolAtSite {
  const stopped = pool.stopped.filter((other) => other !== ip)
  return stopped.length === pool.stopped.length ? pool : { ...pool, stopped, shares: stopped.length === 0 ? {} : pool.shares }
}

/** The share an IP is held to, mails a second; null = free. */
export function paceCapOf(pool: PoolAtSite, ip: string): number | null {
  return pool.stopped.length === 0 || pool.stopped.includes(ip) ? null : Math.max(LEAST_SHARE, pool.shares[ip] ?? 0)
}

function recent(blames: Readonly<Record<string, EpochMs>>, now: EpochMs): Record<string, EpochMs> {
  return Object.fromEntries(Object.entries(blames).filter(([, at]) => now - at < HOUR_MS))
}
