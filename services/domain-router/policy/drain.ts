import type { Drain } from '../../../protocol/messages/permission.ts'
import type { Lane } from '../../../protocol/words.ts'
import { isActive, type Moment, type Shard, type Site } from '../state.ts'
import { sleep } from './asleep.ts'
import type { Say } from './messages.ts'
import { DRAIN_EVERY_MS, LOOK_MS } from './numbers.ts'
import { countRecipients } from './queue.ts'
import { restingSenders } from './sender-rests.ts'
import { smoothed } from './smooth.ts'
import { restsOf } from './waits.ts'

/** Below this a site drains nothing any more. */
const STILL_PER_S = 0.05
/** A site that did fewer since it was told of last starves nobody by waiting its turn. */
const DRY_FROM = 100

/**
 * What the scheduler's release goes by, twice a second while there is something to tell, and once more when there is not. A busy site that runs dry is told
 * of at once (`tellDry`): half a second without mail is a tenth of what a fast one sends in five.
 */
export function tellDrain(shard: Shard, at: Moment): Say[] {
  if (at.mono < shard.timers.drainAt) return []
  shard.timers.drainAt = at.mono + DRAIN_EVERY_MS
  const sites: Drain['sites'][number][] = []
  let done = 0
  for (const site of shard.awake) {
    done += site.done
    // Up at once, down slowly: what a site is given next is seconds of this, and a mean of two seconds would starve one that has just begun.
    const sinceMs = at.mono - site.perSAt
    site.perS = Math.max(smoothed(site.perS, site.done, sinceMs), site.done >= DRY_FROM ? (site.done * 1_000) / Math.max(LOOK_MS, sinceMs) : 0)
    site.perSAt = at.mono
    site.done = 0
    site.handed.first *= 0.8
    site.handed.retry *= 0.8
    const row = drainOf(shard, site, at)
    // Said once that nothing is left: silence would leave the last numbers standing, and what was released and is done as if it were on its way.
    sites.push(row ?? { site: site.site, urgent: 0, bulk: 0, perS: 0, resting: null })
    if (row === null) sleep(shard, site, at)
  }
  shard.perS = smoothed(shard.perS, done, at.mono - shard.perSAt)
  shard.perSAt = at.mono
  if (sites.length === 0 && !shard.told) return []
  shard.told = sites.length > 0
  return [{ say: 'drain', drain: { shard: shard.name, epoch: shard.epoch, upTo: { ...shard.upTo }, sites } }]
}

/** Its senders told what they did: the scheduler hears at once, half a second of a fast site is worth more than a look. */
export function tellDry(shard: Shard, sites: Iterable<Site>, at: Moment): void {
  if ([...sites].some(isDry)) Object.assign(shard.timers, { lookAt: at.mono, drainAt: at.mono })
}

/** Less is queued than was done since the last word: the next may come too late. */
function isDry(site: Site): boolean {
  return site.done >= DRY_FROM && site.done > queuedAt(site)
}

function queuedAt(site: Site): number {
  let queued = countRecipients(site.queue, 'urgent') + countRecipients(site.queue, 'bulk')
  for (const pair of site.pairs.values()) for (const lease of pair.leases) queued += lease.queued
  return queued
}

function drainOf(shard: Shard, site: Site, at: Moment): Drain['sites'][number] | null {
  const rests = restsOf(shard, site, at)
  const senders = restingSenders(site, at.now)
  const ends = [...rests.pools, ...senders].map(({ until }) => until)
  site.restsUntil = Math.max(isActive(site) ? 0 : site.restsUntil, rests.site?.until ?? 0, ...ends)
  // A quiet site is told only while a rest lasts that it had, or had when it was busy.
  if (!isActive(site) && site.restsUntil <= at.now) return null
  return {
    site: site.site,
    urgent: heldOf(site, 'urgent'),
    bulk: heldOf(site, 'bulk'),
    perS: site.perS < STILL_PER_S ? 0 : site.perS,
    resting: rests.site === null ? null : { because: rests.site.because, until: rests.site.until },
    ...(rests.pools.length > 0 && { restingPools: rests.pools }),
    ...(senders.length > 0 && { restingSenders: senders }),
  }
}

/** Recipients of a lane waiting here or handed to senders. */
export function heldOf(site: Site, lane: Lane): number {
  let recipients = countRecipients(site.queue, lane)
  for (const pair of site.pairs.values()) {
    for (const lease of pair.leases) {
      for (const order of lease.orders.values()) if (order.lane === lane) recipients += order.count
      for (const { held } of lease.pending?.orders ?? []) if (held.order.lane === lane) recipients += held.order.count
    }
  }
  return recipients
}
