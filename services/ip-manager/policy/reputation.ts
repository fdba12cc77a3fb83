import { rfc3339 } from '../../../protocol/duration.ts'
import type { IpReputation, IspReputation } from '../../../protocol/messages/ops.ts'
import { addCounts, type Counts, type Ip, type Manager, noCounts, type Pair } from '../state.ts'
import { rowOf } from './fleet-view.ts'
import { leasesOf, type ToldLease } from './holders.ts'
import type { Source } from './modes.ts'
import { listingsOf } from './listings.ts'
import { ipOf, sourceOf } from './pairs.ts'
import { sentToday } from './ramp.ts'
import { scoreOf } from './score.ts'
import { sharesAt } from './tenant-shares.ts'
import { troubleOf } from './trouble.ts'

/** Sites told one by one, by traffic (design §4). */
const SITES_TOLD = 200
export const TAIL_SITE = '_tail'

type IpRow = IpReputation['ips'][number]

/** Every IP of the fleet. */
export function reputation(manager: Manager): IpReputation {
  return { ips: [...manager.fleet.ips.keys()].map((address) => rowOfIp(manager, address, 'brief')) }
}

/** One IP, with blame by tenant; null when the fleet does not name it. */
export function reputationOf(manager: Manager, address: string): IpReputation | null {
  return manager.fleet.ips.has(address) ? { ips: [rowOfIp(manager, address, 'whole')] } : null
}

function rowOfIp(manager: Manager, address: string, how: 'brief' | 'whole'): IpRow {
  const ip = ipOf(manager, address) as Ip // both callers name IPs of the fleet
  const leases = leasesOf(manager, address)
  const pairs = [...ip.pairs.values()].sort((a, b) => trafficOf(b) - trafficOf(a))
  const told = pairs.slice(0, SITES_TOLD)
  const isps: [string, IspReputation][] = told.map((pair) => [pair.site, ispOf(manager, ip, pair, leases.get(pair.site) ?? [], how)])
  // What has leases and no outcome yet is worth a line as well.
  for (const [site, held] of leases) {
    if (!ip.pairs.has(site) && isps.length < SITES_TOLD) isps.push([site, ispRow(manager, site, sourceOf(manager, address, site), noCounts(), held)])
  }
  const rest = pairs.slice(SITES_TOLD)
  if (rest.length > 0 || Object.values(ip.tail).some((count) => count > 0)) isps.push([TAIL_SITE, tailRow(manager, ip, rest)])
  const { mode, because, until } = ip.state
  const listings = listingsOf(manager, address)
  return {
    address,
    pool: manager.fleet.ips.get(address)?.pool ?? '',
    mode,
    because: because ?? (manager.noPtr.has(address) ? 'ipv6-no-ptr' : (troubleOf(manager, ip)?.because ?? null)),
    until: time(until),
    ...(Object.keys(listings).length > 0 && { listings }),
    isps: Object.fromEntries(isps),
  }
}

function ispOf(manager: Manager, { address }: Ip, pair: Pair, leases: readonly ToldLease[], how: 'brief' | 'whole'): IspReputation {
  const row = ispRow(manager, pair.site, pair.source, pair.counts, leases)
  if (how === 'brief' || pair.blamedBy.size === 0) return row
  const tenantShares = sharesAt(manager, manager.fleet.ips.get(address)?.pool ?? '', pair.site)
  return { ...row, blamedBy: Object.fromEntries(pair.blamedBy), ...(Object.keys(tenantShares).length > 0 && { tenantShares }) }
}

function ispRow(manager: Manager, site: string, source: Source, counts: Counts, leases: readonly ToldLease[]): IspReputation {
  const { delivered, deferred, bounced, blocked, complained } = counts
  return {
    mode: source.mode,
    score: score(manager, source),
    because: source.because,
    until: time(source.until),
    delivered,
    deferred,
    bounced,
    blocked,
    // Only feedback reports name the mail that was complained about; the others never tell, or only shares.
    complaints: rowOf(manager.fleet, site).complaints === 'arf' ? complained : 'unknown',
    rampDay: source.ramp?.day ?? null,
    rampLimit: source.ramp?.limit ?? null,
    sentToday: sentLately(manager, source),
    leases: leases.map(({ sender, sessions, until, epoch }) => ({ sender, sessions, until: rfc3339(until), epoch })),
  }
}

/** What is not told one by one: sums, and the mean of the scores by traffic. */
function tailRow(manager: Manager, ip: Ip, rest: readonly Pair[]): IspReputation {
  const counts = noCounts()
  addCounts(counts, ip.tail)
  let weight = 0
  let scores = 0
  for (const pair of rest) {
    addCounts(counts, pair.counts)
    weight += trafficOf(pair)
    scores += trafficOf(pair) * score(manager, pair.source)
  }
  const { delivered, deferred, bounced, blocked } = counts
  const sum = rest.reduce((total, { source }) => total + sentLately(manager, source), 0)
  return {
    mode: 'steady',
    score: weight === 0 ? 1 : rounded(scores / weight),
    because: null,
    until: null,
    delivered,
    deferred,
    bounced,
    blocked,
    complaints: 'unknown',
    rampDay: null,
    rampLimit: null,
    sentToday: sum,
    leases: [],
  }
}

function sentLately({ now }: Manager, { ramp, today }: Source): number {
  if (ramp !== null) return sentToday(ramp, now)
  return now - today.at < 86_400_000 ? today.sent : 0
}

function score({ now }: Manager, source: Source): number {
  return rounded(scoreOf(source.score, source.mode, now))
}

function rounded(score: number): number {
  return Math.round(score * 1_000) / 1_000
}

function trafficOf({ counts }: Pair): number {
  return counts.delivered + counts.deferred + counts.bounced
}

function time(at: number | null): string | null {
  return at === null ? null : rfc3339(at)
}
