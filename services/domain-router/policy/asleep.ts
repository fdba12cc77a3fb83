import type { Moment, Shard, Site } from '../state.ts'
import { rememberSite } from './memory.ts'
import { FORGET_SITE_MS, QUIET_LOOK_MS, QUIET_SITE_MS, SLEEPING_MOST, SLEPT_MS } from './numbers.ts'

/**
 * Nothing of it is left to tell; what it had is over, not paused. Sources that were never lent there taught nothing: they are asked for anew. A tail has more
 * sites than are worth keeping one by one (S8): who fell asleep long ago is forgotten, but for what was learnt.
 */
export function sleep(shard: Shard, site: Site, at: Moment): void {
  shard.awake.delete(site)
  site.perS = 0
  Object.assign(site.handed, { first: 0, retry: 0 })
  for (const pair of site.pairs.values()) if (pair.lentAt === Number.NEGATIVE_INFINITY) site.pairs.delete(pair.ip)
  site.answered.clear()
  site.asked.clear()
  // The latest to fall asleep stands last.
  shard.sites.delete(site.site)
  shard.sites.set(site.site, site)
  if (shard.sites.size - shard.awake.size > SLEEPING_MOST) forgetOldest(shard, at)
}

/** Half of those that sleep, so that not each one looks for the oldest. */
function forgetOldest(shard: Shard, at: Moment): void {
  for (const site of shard.sites.values()) {
    if (shard.sites.size - shard.awake.size <= SLEEPING_MOST / 2) return
    if (shard.awake.has(site)) continue
    if (at.mono - site.usedAt < SLEPT_MS) return
    rememberSite(shard, site, at.now)
    shard.sites.delete(site.site)
  }
}

/** Sites that sleep: the only look at all of them, and a rare one. */
export function forgetQuiet(shard: Shard, at: Moment): void {
  shard.timers.quietAt = at.mono + QUIET_LOOK_MS
  for (const site of shard.sites.values()) {
    if (shard.awake.has(site) || at.mono - site.usedAt <= QUIET_SITE_MS) continue
    rememberSite(shard, site, at.now)
    site.pairs.clear()
    site.answered.clear()
    site.asked.clear()
    if (at.mono - site.usedAt > FORGET_SITE_MS) shard.sites.delete(site.site)
  }
}
