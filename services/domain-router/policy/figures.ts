import { LANES } from '../../../protocol/words.ts'
import { isActive, type Shard, waitingOrders } from '../state.ts'
import { counted } from './count.ts'

/** What the console and the metrics show of a shard. */
export function figuresOf(
  shard: Shard,
  mono: number,
): { readonly urgent: number; readonly bulk: number; readonly leases: number; readonly sessions: number; readonly sites: number } {
  let sessions = 0
  for (const lease of shard.leases.values()) sessions += counted(lease, mono).sessions
  const [urgent, bulk] = LANES.map((lane) => waitingOrders(shard, lane)) as [number, number]
  return { urgent, bulk, leases: shard.leases.size, sessions, sites: shard.sites.size }
}

/**
 * Rules every shard keeps at every step; what is broken, in words. `all`: for tests and the simulation; `awake`: at every look in production, without the
 * sites that sleep.
 */
export function violations(shard: Shard, which: 'all' | 'awake' = 'all'): string[] {
  const broken: string[] = []
  for (const lease of shard.leases.values()) {
    const pair = shard.sites.get(lease.site)?.pairs.get(lease.ip)
    if (pair === undefined || !pair.leases.has(lease)) broken.push(`lease ${lease.id} is not among those of ${lease.ip} at ${lease.site}`)
    if (pair !== undefined && pair.pool !== lease.pool) broken.push(`S6: lease ${lease.id} of pool ${lease.pool} stands at a source of pool ${pair.pool}`)
  }
  if (which === 'all') for (const site of shard.sites.values()) if (isActive(site) && !shard.awake.has(site)) broken.push(`${site.site} has work and sleeps`)
  for (const site of shard.awake) {
    const seen = new Set<number>()
    for (const lane of LANES) {
      for (const group of site.queue[lane].values()) {
        for (const { held } of group.waiting) {
          if (seen.has(held.seq)) broken.push(`order ${held.seq} waits twice at ${site.site}`)
          seen.add(held.seq)
        }
      }
    }
    for (const pair of site.pairs.values()) {
      for (const lease of pair.leases) {
        if (!shard.leases.has(lease.id)) broken.push(`lease ${lease.id} is forgotten but counted`)
        for (const { held } of lease.pending?.orders ?? []) if (seen.has(held.seq)) broken.push(`order ${held.seq} waits and is on its way to ${lease.sender}`)
      }
    }
  }
  return broken
}
