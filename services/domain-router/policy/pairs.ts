import type { Moment, Pair, Shard, Site } from '../state.ts'
import { openWindow } from './window.ts'

/** The pair of a source and a site; made with what is remembered of it, else at the row's start. */
export function pairOf(shard: Shard, site: Site, ip: string, pool: string, at: Moment): Pair {
  const known = site.pairs.get(ip)
  if (known !== undefined && (known.pool === pool || known.leases.size > 0)) return known
  const remembered = shard.memory.get(site.site)?.get(ip)
  const pair: Pair = {
    ip,
    site: site.site,
    pool,
    window: known?.window ?? remembered?.window ?? openWindow(shard.network.providers.row(site.provider), at.now),
    allowance: null,
    allowanceAskedAt: Number.NEGATIVE_INFINITY,
    allowanceUntil: 0,
    started: [],
    leases: new Set(),
    lentAt: known?.lentAt ?? Number.NEGATIVE_INFINITY,
    splitUntil: 0,
  }
  site.pairs.set(ip, pair)
  return pair
}
