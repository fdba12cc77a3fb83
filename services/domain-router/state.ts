import type { Allowance } from '../../protocol/messages/permission.ts'
import type { EpochMs, Lane, MonoMs } from '../../protocol/words.ts'
import type { HeldLease } from './held-lease.ts'
import type { Network } from './policy/network.ts'
import { countOrders, emptyQueue, type Queue } from './policy/queue.ts'
import type { Roster } from './policy/roster.ts'
import type { Window } from './policy/window.ts'

/** What a decision is given besides the message. */
export interface Moment {
  readonly now: EpochMs
  readonly mono: MonoMs
  /** uniform in [0, 1) */
  readonly dice: () => number
  /** S3: our ownership is surely still in force */
  readonly mayGrant: boolean
}

/** What one owner knows of its shard. Everything here can be lost: a new owner asks the senders and reads the memory. */
export interface Shard {
  readonly name: string
  /** node id of this process */
  readonly router: string
  /** shared by all shards of the process */
  readonly roster: Roster
  network: Network
  /** 0 = not ours */
  epoch: number
  ownedAt: MonoMs
  /** a new owner that still asks who holds what; null = done */
  adopting: Adopting | null
  /** what silent senders may still hold */
  unsure: Unsure[]
  readonly sites: Map<string, Site>
  /**
   * Those of them with mail, a lease, a rest or a last word to tell. What comes with every message and tick looks at these only: a tail of ten thousand
   * sites costs what its busy ones cost. `look` lets a site fall asleep, whoever brings it work wakes it.
   */
  readonly awake: Set<Site>
  readonly leases: Map<string, HeldLease>
  /** what people ordered, by site */
  readonly actions: Map<string, Action[]>
  /** what was learnt about pairs that are not in use now */
  readonly memory: Map<string, Map<string, RememberedPair>>
  /** campaigns that were paused or cancelled a moment ago, until when that is believed */
  readonly heldCampaigns: Map<string, MonoMs>
  /** highest order taken from the stream */
  readonly upTo: { urgent: number; bulk: number }
  /** recipients in an order, smoothed over the last ones */
  readonly orderSize: { urgent: number; bulk: number }
  ipManagerEpoch: number
  leasesMade: number
  /** recipients settled or deferred per second over all sites, smoothed; and when it was */
  perS: number
  perSAt: MonoMs
  readonly timers: { quietAt: MonoMs; drainAt: MonoMs; allowanceAt: MonoMs; rebalanceAt: MonoMs; saveAt: MonoMs; growthAt: MonoMs; lookAt: MonoMs }
  /** a drain that was not all zero has been said */
  told: boolean
  /** memory or actions differ from what was saved last */
  changed: boolean
  /** so do windows that only grew: they may wait */
  grown: boolean
  /** what was saved last, in short */
  savedAs: string
  /** senders that the durable memory names, and those that the save under way will */
  holders: ReadonlySet<string>
  holdersNamed: ReadonlySet<string>
}

export interface Adopting {
  readonly since: MonoMs
  readonly until: MonoMs
  /** senders that may hold something: heard lately, or named by the memory */
  readonly expected: Set<string>
  readonly asked: Set<string>
  readonly answered: Set<string>
}

/** A silent sender may hold any pair of these addresses until then; `ips` null = any address. */
export interface Unsure {
  readonly sender: string
  readonly ips: ReadonlySet<string> | null
  readonly until: MonoMs
}

export interface Site {
  readonly site: string
  provider: string | null
  readonly queue: Queue
  readonly pairs: Map<string, Pair>
  /** every source rests there */
  rest: Rest | null
  /** From domains whose mail rests there: a reply blamed the sender, and no source for it */
  readonly senderRests: Map<string, Rest>
  /** recipients handed out lately: first tries and retries share the pace (delivery.md §4) */
  readonly handed: { first: number; retry: number }
  /** recipients settled or deferred per second, smoothed */
  perS: number
  perSAt: MonoMs
  /** recipients settled or deferred since then */
  done: number
  /** the latest end of what rested when it was last looked at */
  restsUntil: EpochMs
  readonly lastReplies: { readonly at: EpochMs; readonly ip: string; readonly reply: string }[]
  /** pools for which the ip-manager has answered here, and when each was asked for last */
  readonly answered: Set<string>
  readonly asked: Map<string, MonoMs>
  usedAt: MonoMs
  /** last time a sender was given something for it */
  lentAt: MonoMs
}

export interface Rest {
  readonly because: string
  readonly until: EpochMs
}

/** One source at one site. */
export interface Pair {
  readonly ip: string
  readonly site: string
  readonly pool: string
  window: Window
  /** as long as the ip-manager lends; null before its first word and after `ip-manager.changed` took it away */
  allowance: Allowance | null
  allowanceAskedAt: MonoMs
  allowanceUntil: MonoMs
  /** transactions reported lately: the ip-manager's budget does not know them yet */
  started: { readonly at: MonoMs; readonly n: number }[]
  readonly leases: Set<HeldLease>
  lentAt: MonoMs
  /** a second sender is wanted: until then leases are told only the share of their sessions */
  splitUntil: MonoMs
}

export interface RememberedPair {
  readonly window: Window
  readonly at: EpochMs
}

/** What a person ordered for a site. */
export interface Action {
  readonly id: string
  readonly action: 'pause' | 'limit'
  readonly by: string
  readonly until: EpochMs
  readonly sessionsPerIp: number | null
  readonly rate: number | null
}

export function newShard(name: string, router: string, roster: Roster, network: Network): Shard {
  return {
    name,
    router,
    roster,
    network,
    epoch: 0,
    ownedAt: 0,
    adopting: null,
    unsure: [],
    sites: new Map(),
    awake: new Set(),
    leases: new Map(),
    actions: new Map(),
    memory: new Map(),
    heldCampaigns: new Map(),
    upTo: { urgent: 0, bulk: 0 },
    orderSize: { urgent: 1, bulk: 100 },
    ipManagerEpoch: 0,
    leasesMade: 0,
    perS: 0,
    perSAt: 0,
    timers: { quietAt: 0, drainAt: 0, allowanceAt: 0, rebalanceAt: 0, saveAt: 0, growthAt: 0, lookAt: 0 },
    told: false,
    changed: false,
    grown: false,
    savedAs: '',
    holders: new Set(),
    holdersNamed: new Set(),
  }
}

/** The site, awake: whoever asks has something for it. */
export function siteOf(shard: Shard, name: string, provider: string | null, mono: MonoMs): Site {
  const site = shard.sites.get(name) ?? newSite(name, provider, mono)
  shard.sites.set(name, site)
  shard.awake.add(site)
  return site
}

export function newSite(site: string, provider: string | null, mono: MonoMs): Site {
  return {
    site,
    provider,
    queue: emptyQueue(),
    pairs: new Map(),
    rest: null,
    senderRests: new Map(),
    handed: { first: 0, retry: 0 },
    perS: 0,
    perSAt: mono,
    done: 0,
    restsUntil: 0,
    lastReplies: [],
    answered: new Set(),
    asked: new Map(),
    usedAt: mono,
    lentAt: mono,
  }
}

export function addLease(shard: Shard, pair: Pair, lease: HeldLease): void {
  shard.leases.set(lease.id, lease)
  pair.leases.add(lease)
}

export function dropLease(shard: Shard, lease: HeldLease): void {
  shard.leases.delete(lease.id)
  shard.sites.get(lease.site)?.pairs.get(lease.ip)?.leases.delete(lease)
}

export function hasWaiting(site: Site): boolean {
  return site.queue.urgent.size > 0 || site.queue.bulk.size > 0
}

export function hasLeases(site: Site): boolean {
  for (const pair of site.pairs.values()) if (pair.leases.size > 0) return true
  return false
}

/** A site that somebody waits for or holds a lease of. */
export function isActive(site: Site): boolean {
  return hasWaiting(site) || hasLeases(site)
}

/** Orders of a lane held here, not yet handed to a sender. */
export function waitingOrders(shard: Shard, lane: Lane): number {
  let orders = 0
  for (const site of shard.awake) orders += countOrders(site.queue, lane)
  return orders
}

/** Mail waits here or is being worked on. */
export function hasWork(shard: Shard): boolean {
  if (shard.leases.size > 0) return true
  for (const site of shard.awake) if (hasWaiting(site)) return true
  return false
}

export function isIdle(shard: Shard): boolean {
  return shard.adopting === null && !hasWork(shard)
}
