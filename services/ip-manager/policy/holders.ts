import type { AllowanceAsk } from '../../../protocol/messages/permission.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import type { Manager } from '../state.ts'

export interface ToldLease {
  readonly sender: string
  readonly sessions: number
  readonly until: EpochMs
  readonly epoch: number
}

/** A router tells every second while it holds leases; three missed ones, and only those whose time is not over are believed. */
const FRESH_MS = 3_000
/** After so long every router that holds a lease has told it: asks come each second, a router that must first be replaced takes longer than any lease of its predecessor lives. */
const ALL_HEARD_MS = 6_000

/** Keeps what `ask` tells. False: an older owner of the shard speaks, nothing of it counts. */
export function hearHolder(manager: Manager, ask: AllowanceAsk, now: EpochMs): boolean {
  const known = manager.holders.get(ask.shard)
  if (known !== undefined && known.epoch > ask.epoch) return false
  if (ask.leases === undefined) return true // asked in between, for sites that are new
  manager.holders.set(ask.shard, { epoch: ask.epoch, at: now, leases: ask.leases })
  return true
}

/** Leases on an IP by site. NOTE: a lease that lingers for the reply to a dot is told although its time is over: it holds the IP all the same. */
export function leasesOf(manager: Manager, ip: string): Map<string, ToldLease[]> {
  const bySite = new Map<string, ToldLease[]>()
  for (const { epoch, at, leases } of manager.holders.values()) {
    const fresh = manager.now - at < FRESH_MS
    for (const lease of leases) {
      if (lease.ip !== ip || (!fresh && lease.until <= manager.now)) continue
      const told = { sender: lease.sender, sessions: lease.sessions, until: lease.until, epoch }
      const others = bySite.get(lease.site)
      if (others) others.push(told)
      else bySite.set(lease.site, [told])
    }
  }
  return bySite
}

/** How many leases hold the IP; null while that cannot be known. `since` is when it stopped lending: what was lent just before must have been told. */
export function countLeases(manager: Manager, ip: string, since: EpochMs): number | null {
  if (manager.hearingSince === null || manager.now - Math.max(manager.hearingSince, since) < ALL_HEARD_MS) return null
  let leases = 0
  for (const bySite of leasesOf(manager, ip).values()) leases += bySite.length
  return leases
}

/** Shards that have told nothing for so long hold nothing. */
export function forgetHolders(manager: Manager): void {
  for (const [shard, holder] of manager.holders) {
    if (manager.now - holder.at > FRESH_MS && holder.leases.every(({ until }) => until <= manager.now)) manager.holders.delete(shard)
  }
}
