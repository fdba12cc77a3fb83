import type { AllowanceAsk } from '../../protocol/messages/permission.ts'
import type { EpochMs } from '../../protocol/words.ts'
import type { ZoneView } from './policy/dnsbl.ts'
import type { FleetView } from './policy/fleet-view.ts'
import type { IpState } from './policy/ip-modes.ts'
import type { Recent } from './policy/lately.ts'
import type { Source } from './policy/modes.ts'
import type { PoolAtSite } from './policy/pool.ts'

/** What a tenant's blame cost it of a shared pool at a site (policy/tenant-shares.ts). */
export interface Halved {
  readonly halvings: number
  /** the last halving or doubling: a day without blame doubles the share again */
  readonly at: EpochMs
  readonly because: string
}

/**
 * What is wrong with an IP's way out, while it goes on serving: told as its reason in `ip.reputation` and in the log (delivery.md §7).
 *   egress-differs    peers see us from another address: SPF, PTR and reputation are looked up there
 *   port-25-closed    connects of this source time out at every site
 * It follows from the latest outcomes and is not saved: a new owner hears it again as long as it lasts.
 */
export interface Trouble {
  readonly because: 'egress-differs' | 'port-25-closed'
  /** in words */
  readonly detail: string
  readonly seenAt: EpochMs
}

/**
 * What the owner knows. All but `fleet`, `holders` and the times is memory: saved together with `position`, so that after any death
 * counts and modes are those of exactly the outcomes up to it, and the rest is counted again.
 */
export interface Manager {
  fleet: FleetView
  /** last sequence of OUTCOMES that is counted */
  position: number
  readonly ips: Map<string, Ip>
  /** by `poolKey`; only pools with something to heed */
  readonly pools: Map<string, PoolAtSite>
  /** IPv6 addresses whose PTR does not resolve back, with what DNS says; not saved: a new owner looks anew */
  readonly noPtr: Map<string, string>
  /** block lists by zone */
  readonly zones: Map<string, ZoneView>
  /** tenants that dirtied a shared pool, by pool, site and tenant; blamed last stands last */
  readonly halved: Map<string, Halved>
  /** grows with each change of them or of the fleet: when to tell the shares anew */
  halvedTimes: number
  /** what routers told of their leases, by shard */
  readonly holders: Map<string, Holder>
  /** the moment of what it was told last: the journal's own time for outcomes, so that a second reading decides as the first did; else the wall clock's */
  now: EpochMs
  /** next moment at which time alone changes something */
  wakeAt: EpochMs
  /** since when routers have been heard; null while old outcomes are counted again */
  hearingSince: EpochMs | null
  /** differs from what was saved */
  changed: boolean
  /** S8: so many pairs are remembered one by one */
  readonly pairsMost: number
}

/** One source IP. It stays remembered when the fleet drops it: a file that lost a line must not cost what an address has earned. */
export interface Ip {
  readonly address: string
  state: IpState
  readonly pairs: Map<string, Pair>
  /** of pairs that are no longer remembered one by one */
  readonly tail: Counts
  /** what is wrong with its way out; not saved */
  trouble: Trouble | null
  /** addresses that peers see it from instead, by site; not saved */
  readonly seenAs: Map<string, { readonly address: string; readonly at: EpochMs }>
  /** the fleet last named it then */
  namedAt: EpochMs
}

/** One source at one site. */
export interface Pair {
  readonly site: string
  source: Source
  readonly counts: Counts
  /** source-blames by the tenant whose recipients caused them */
  readonly blamedBy: Map<string, number>
  /** what it carried in the last minute; not saved */
  recent: Recent
  usedAt: EpochMs
}

/** The leases of one shard, as its router told them last. */
export interface Holder {
  readonly epoch: number
  readonly at: EpochMs
  readonly leases: NonNullable<AllowanceAsk['leases']>
}

/** Totals since the IP was added, as the outcomes say. `blocked` are those of the class of that name, whatever else they count as. */
export interface Counts {
  delivered: number
  deferred: number
  bounced: number
  blocked: number
  complained: number
}

export function newManager(fleet: FleetView, pairsMost: number): Manager {
  return {
    fleet,
    position: 0,
    ips: new Map(),
    pools: new Map(),
    noPtr: new Map(),
    zones: new Map(),
    halved: new Map(),
    halvedTimes: 0,
    holders: new Map(),
    now: 0,
    wakeAt: 0,
    hearingSince: null,
    changed: false,
    pairsMost,
  }
}

export const noCounts = (): Counts => ({ delivered: 0, deferred: 0, bounced: 0, blocked: 0, complained: 0 })

export function addCounts(to: Counts, more: Readonly<Counts>): void {
  to.delivered += more.delivered
  to.deferred += more.deferred
  to.bounced += more.bounced
  to.blocked += more.blocked
  to.complained += more.complained
}

export function poolKey(pool: string, site: string): string {
  return `${pool} ${site}`
}

export function countPairs(manager: Manager): number {
  let pairs = 0
  for (const ip of manager.ips.values()) pairs += ip.pairs.size
  return pairs
}
