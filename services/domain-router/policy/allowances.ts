import type { AllowanceAsk, Allowances, SourceChanged } from '../../../protocol/messages/permission.ts'
import { hasLeases, hasWaiting, type Moment, type Pair, type Shard, type Site } from '../state.ts'
import { endLease } from './ending.ts'
import type { Say } from './messages.ts'
import { ALLOWANCE_EVERY_MS, ALLOWANCE_FRESH_MS } from './numbers.ts'
import { pairOf } from './pairs.ts'
import { poolsOf } from './queue.ts'

/** Of sites that orders came for: asks where a pool waits for which the ip-manager never answered. */
export function askFresh(shard: Shard, came: Iterable<Site>, at: Moment): Say[] {
  const isFresh = (site: Site, pool: string) => !site.answered.has(pool) && at.mono - (site.asked.get(pool) ?? Number.NEGATIVE_INFINITY) > ALLOWANCE_EVERY_MS
  const sites = questions(came, (site, pools) => pools.some((pool) => isFresh(site, pool)), at)
  return sites.length === 0 ? [] : [ask(shard, sites, at)]
}

/** Of all sites somebody waits for or works at: asks where an answer is about to run out, may change, or is missing; and tells who holds leases. */
export function askAllowances(shard: Shard, at: Moment): Say[] {
  const sites = questions(shard.awake, (site, pools) => !pools.every((pool) => isKnown(site, pool, at)), at)
  shard.timers.allowanceAt = at.mono + ALLOWANCE_EVERY_MS
  if (sites.length === 0 && shard.leases.size === 0) return []
  const leases = [...shard.leases.values()].map(({ ip, site, sender, numbers, mustEnd }) => ({
    ip,
    site,
    sender,
    sessions: numbers.sessions,
    until: Math.round(at.now + (mustEnd - at.mono)),
  }))
  return [ask(shard, sites, at, leases)]
}

function questions(sites: Iterable<Site>, isAsked: (site: Site, pools: readonly string[]) => boolean, at: Moment): AllowanceAsk['sites'][number][] {
  const asked: AllowanceAsk['sites'][number][] = []
  for (const site of sites) {
    if (!hasWaiting(site) && !hasLeases(site)) continue
    const pools = [...poolsInUse(site)]
    if (!isAsked(site, pools)) continue
    for (const pool of pools) site.asked.set(pool, at.mono)
    asked.push({ site: site.site, provider: site.provider, pools })
  }
  return asked
}

function ask(shard: Shard, sites: AllowanceAsk['sites'], at: Moment, leases?: AllowanceAsk['leases']): Say {
  return {
    say: 'askAllowances',
    ask: { shard: shard.name, epoch: shard.epoch, router: shard.router, tick: at.mono, sites, ...(leases !== undefined && { leases }) },
  }
}

/** Every source of the pool was allowed lately and without a limit that wears out: what takes that away is told by itself (`ip-manager.changed`). */
function isKnown(site: Site, pool: string, at: Moment): boolean {
  if (!site.answered.has(pool)) return false
  for (const pair of site.pairs.values()) {
    if (pair.pool !== pool) continue
    const { allowance, allowanceAskedAt } = pair
    if (allowance === null || !allowance.lends || allowance.budget !== null || at.mono - allowanceAskedAt >= ALLOWANCE_FRESH_MS) return false
  }
  return true
}

function poolsInUse(site: Site): Set<string> {
  const pools = poolsOf(site.queue)
  for (const pair of site.pairs.values()) if (pair.leases.size > 0) pools.add(pair.pool)
  return pools
}

/** The answer for `asked`: what it does not name lends nothing there. The echoed tick is ours: from it the allowance runs, on our clock. */
export function hearAllowances(shard: Shard, { epoch, tick, ms, allowances }: Allowances, asked: AllowanceAsk['sites'], at: Moment): Site[] {
  if (epoch < shard.ipManagerEpoch) return []
  shard.ipManagerEpoch = epoch
  const sites: Site[] = []
  for (const { site: name, pools } of asked) {
    const site = shard.sites.get(name)
    if (site === undefined) continue
    sites.push(site)
    for (const pool of pools) site.answered.add(pool)
    for (const pair of site.pairs.values()) if (pools.includes(pair.pool) && pair.allowanceAskedAt <= tick) pair.allowance = null
  }
  for (const allowance of allowances) {
    const site = shard.sites.get(allowance.site)
    if (site === undefined) continue
    const pair = pairOf(shard, site, allowance.ip, allowance.pool, at)
    // S6: a source that changed its pool lends nothing before the leases of the old pool are over.
    if (pair.pool !== allowance.pool || pair.allowanceAskedAt > tick) continue
    pair.allowance = allowance
    pair.allowanceAskedAt = tick
    pair.allowanceUntil = tick + ms
  }
  return sites
}

/** S5: a source that stops lending is given nothing more, at once; its senders heard the same and their reports are answered by `end`. */
export function hearSourceChanged(shard: Shard, changed: SourceChanged, at: Moment): Say[] {
  if (changed.epoch < shard.ipManagerEpoch) return []
  shard.ipManagerEpoch = changed.epoch
  const says: Say[] = []
  let resumed = false
  for (const site of shard.sites.values()) {
    const pair = changed.site === null || changed.site === site.site ? site.pairs.get(changed.ip) : undefined
    if (pair === undefined) continue
    if (changed.lends) {
      resumed = true
      if (pair.allowance?.lends === false) forgetRefusal(pair, at)
      continue
    }
    if (pair.allowance !== null) pair.allowance = { ...pair.allowance, lends: false, because: changed.because, until: changed.until }
    says.push(...stopPair(site, pair, changed.because))
  }
  if (resumed) shard.timers.allowanceAt = at.mono // how much it lends again, the ip-manager says
  return says
}

/** What it said before is over, and so is what it answers to a question from before: or what arrives now would be parked until an end that no longer holds. */
function forgetRefusal(pair: Pair, at: Moment): void {
  pair.allowance = null
  pair.allowanceAskedAt = at.mono
}

function stopPair(site: Site, pair: Pair, because: string): Say[] {
  if (pair.leases.size === 0) return []
  return [
    { say: 'event', event: { event: 'sourceStopped', site: site.site, ip: pair.ip, because, leases: pair.leases.size } },
    ...[...pair.leases].flatMap((lease) => endLease(lease, because)),
  ]
}
