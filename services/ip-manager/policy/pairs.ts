import { addCounts, countPairs, type Ip, type Manager, noCounts, type Pair, poolKey } from '../state.ts'
import { isTail, limitsOf, rowOf } from './fleet-view.ts'
import { newIp } from './ip-modes.ts'
import { newSource, type Source } from './modes.ts'
import { poolLends } from './pool.ts'

/** The IP, if the fleet names it; made when it is met first. */
export function ipOf(manager: Manager, address: string): Ip | null {
  if (!manager.fleet.ips.has(address)) return null
  const known = manager.ips.get(address)
  if (known !== undefined) return known
  const ip: Ip = { address, state: newIp(manager.now), pairs: new Map(), tail: noCounts(), trouble: null, seenAs: new Map(), namedAt: manager.now }
  manager.ips.set(address, ip)
  manager.changed = true
  return ip
}

/** The pair, made when its first outcome is met. */
export function pairOf(manager: Manager, ip: Ip, site: string): Pair {
  const known = ip.pairs.get(site)
  if (known !== undefined) return known
  const pair: Pair = { site, source: unused(manager, ip.address, site), counts: noCounts(), blamedBy: new Map(), recent: [], usedAt: manager.now }
  ip.pairs.set(site, pair)
  forgetPairs(manager)
  return pair
}

/** What the pair is, or would begin as. An ask makes no pair: sites that are only waited for would fill the memory. */
export function sourceOf(manager: Manager, address: string, site: string): Source {
  return manager.ips.get(address)?.pairs.get(site)?.source ?? unused(manager, address, site)
}

/** S8: at most `pairsMost`. */
function forgetPairs(manager: Manager): void {
  const pairs = countPairs(manager)
  if (pairs <= manager.pairsMost) return
  // A twentieth more than must go, so that the search is rare.
  const count = pairs - manager.pairsMost + Math.ceil(manager.pairsMost / 20)
  const all = [...manager.ips.values()].flatMap((ip) => [...ip.pairs.values()].map((pair) => ({ ip, pair, rank: rankOf(manager, pair) })))
  all.sort((a, b) => a.rank - b.rank || a.pair.usedAt - b.pair.usedAt)
  for (const { ip, pair } of all.slice(0, count)) {
    addCounts(ip.tail, pair.counts)
    ip.pairs.delete(pair.site)
    const key = poolKey(manager.fleet.ips.get(ip.address)?.pool ?? '', pair.site)
    const pool = manager.pools.get(key)
    if (pool !== undefined) manager.pools.set(key, poolLends(pool, ip.address))
  }
}

/** What is forgotten first: what lends all it may at a tail site; last, a rest that must not be shortened by forgetting. */
function rankOf(manager: Manager, { site, source }: Pair): number {
  if (source.mode === 'cooling' || source.mode === 'blocked') return 3
  return (source.mode === 'steady' ? 0 : 1) + (isTail(manager.fleet, site) ? 0 : 1)
}

/** An IP that no fleet has named for so long starts anew when it comes back. */
const REMEMBER_UNNAMED_MS = 7 * 86_400_000

export function forgetIps(manager: Manager): void {
  for (const ip of manager.ips.values()) {
    if (manager.fleet.ips.has(ip.address)) ip.namedAt = manager.now
    else if (manager.now - ip.namedAt > REMEMBER_UNNAMED_MS) manager.changed = manager.ips.delete(ip.address)
  }
}

function unused(manager: Manager, address: string, site: string): Source {
  const warmSince = manager.fleet.ips.get(address)?.warm_since
  return newSource(warmSince === undefined ? 'warm' : 'cold', limitsOf(manager.fleet, rowOf(manager.fleet, site)), manager.now)
}
