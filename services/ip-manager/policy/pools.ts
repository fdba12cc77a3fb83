import { type Manager, poolKey } from '../state.ts'
import type { PoolAtSite } from './pool.ts'
import type { Say } from './says.ts'
import { lendsIn } from './settle.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Ends a pool's rest whose time is over, and forgets a pool with nothing left to heed. */
export function passPool(manager: Manager, key: string): Say[] {
  const pool = manager.pools.get(key) as PoolAtSite
  if (pool.rest === null || pool.rest.until > manager.now) {
    if (isQuiet(pool, manager.now)) manager.changed = manager.pools.delete(key)
    return []
  }
  manager.pools.set(key, { ...pool, rest: null })
  manager.changed = true
  const [name = '', site = ''] = splitKey(key)
  const says: Say[] = [{ say: 'pool', pool: name, site, rests: false, because: 'rest is over', until: null }]
  for (const { address } of manager.fleet.pools.get(name) ?? []) {
    const ip = manager.ips.get(address)
    if (ip !== undefined && (ip.state.mode !== 'serving' || !lendsIn(ip.pairs.get(site)?.source.mode ?? 'steady'))) continue
    says.push({ say: 'changed', ip: address, site, lends: true, because: 'rest of the pool is over', until: null })
  }
  return says
}

/** After another fleet: an IP that left its pool does not hold the others to their shares. */
export function leavePools(manager: Manager): void {
  for (const [key, pool] of manager.pools) {
    const members = new Set((manager.fleet.pools.get(splitKey(key)[0] ?? '') ?? []).map(({ address }) => address))
    const stopped = pool.stopped.filter((ip) => members.has(ip))
    if (stopped.length < pool.stopped.length) manager.pools.set(key, { ...pool, stopped, shares: stopped.length === 0 ? {} : pool.shares })
  }
}

/** Pools are ids, without spaces. */
function splitKey(key: string): readonly [string, string] {
  const at = key.indexOf(poolKey('', ''))
  return [key.slice(0, at), key.slice(at + 1)]
}

function isQuiet(pool: PoolAtSite, now: number): boolean {
  return pool.stopped.length === 0 && pool.rested.every((at) => now - at >= DAY_MS) && Object.values(pool.blames).every((at) => now - at >= HOUR_MS)
}
