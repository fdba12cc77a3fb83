import type { EpochMs, MonoMs, ReplyClass, SourceMode, IpMode } from '../words.ts'
import type { HeldOrder } from './mail.ts'

/** How a session behaves at this site; the router knows the provider table, the sender obeys the terms. */
export interface Terms {
  readonly sessionsPerAddress: number
  readonly mailsPerSession: number
  readonly rcptsPerSession: number
  readonly rcptsPerTransaction: number
  readonly refusedPerSession: number
  readonly connectsPerMinute: number
  readonly maxSizeBytes: number | null
  readonly tls: 'required' | 'opportunistic' | 'off'
  readonly ahead: 'never' | 'learn' | 'always'
  readonly idleMs: number
  readonly protocol: 'smtp' | 'lmtp'
  /** a fixed next hop instead of MX (relays, LMTP, labs) */
  readonly host?: string
  readonly port?: number
  /** does 5.1.1 here mean an unknown user, or may it be the user's own filter (docomo, au) */
  readonly unknown: 'plain' | 'ambiguous'
}

/** Permission: `sessions` sessions from `ip` to `site` at `pacePerS`, for `ms` from the echoed tick, under `epoch`. */
export interface Lease {
  readonly id: string
  readonly shard: string
  readonly site: string
  readonly provider: string | null
  readonly pool: string
  readonly ip: string
  readonly bind: string
  readonly ehlo: string
  readonly egress: string
  readonly sessions: number
  /** transactions per second over all sessions of the lease */
  readonly pacePerS: number
  /** transactions left under today's ramp; null = no ramp */
  readonly budget: number | null
  readonly ms: number
  readonly epoch: number
  readonly terms: Terms
}

/** `senders.here`, every 500 ms and at once when room appears. */
export interface SenderHere {
  readonly sender: string
  readonly tick: MonoMs
  readonly sessionsFree: number
  /** the fleet IPs (by `address`) that this sender can send from */
  readonly ips: readonly string[]
  readonly stopping: boolean
  /** it reads `Grants` too */
  readonly manyGrants?: true
}

/** `sender.<id>.grant`: a new lease, or more orders and other numbers for one that is held. */
export interface Grant {
  readonly lease: Lease
  /** the sender's own tick, echoed: the lease runs from it on the sender's monotonic clock */
  readonly tick: MonoMs
  readonly orders: readonly HeldOrder[]
}
export type GrantAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly because: 'stale-epoch' | 'stale-tick' | 'stopping' | 'ip-unusable' | 'no-room' | 'not-ready' | 'source-held' }

/** Several of them in one message, to a sender that says it reads them; answered in their order. */
export interface Grants {
  readonly grants: readonly Grant[]
}
export interface GrantAnswers {
  readonly answers: readonly GrantAnswer[]
}

/** `router.<shard>.report`, every 250 ms per shard with leases, and at once on blames or an empty queue. */
export interface Report {
  readonly sender: string
  readonly tick: MonoMs
  readonly sessionsFree: number
  readonly leases: readonly LeaseReport[]
}

export interface LeaseReport {
  readonly lease: string
  readonly ip: string
  readonly site: string
  readonly pool: string
  readonly open: number
  /** sessions that must be counted although the lease wants them gone: after the dot, waiting for the reply */
  readonly lingering: number
  /** recipients queued under the lease, not yet in a transaction */
  readonly queued: number
  /** since the last report */
  readonly delivered: number
  readonly classes: Partial<Record<ReplyClass, number>>
  /** the newest reply that blamed site, host or source, as the peer worded it */
  readonly lastReply: string | null
  readonly rttMs: number | null
  /** orders that ended since the last report (acked or given up), by sequence */
  readonly ended: readonly number[]
  /** a rest the replies taught: until when (ms from now) and why; the router decides. `whole`: the site's matter, whatever the source */
  readonly rest: { readonly ms: number; readonly because: ReplyClass; readonly whole?: boolean } | null
  /** replies blamed the sender: mail from that From domain shall rest here, and no other */
  readonly senderRests?: readonly SenderRest[]
  /** sender has let go of the lease */
  readonly closed: boolean
}

/** Mail of one From domain rests at a site for `ms` from now. */
export interface SenderRest {
  readonly from: string
  readonly ms: number
  readonly because: ReplyClass
}

export interface ReportAnswer {
  readonly epoch: number
  readonly tick: MonoMs
  readonly renew: readonly {
    readonly lease: string
    readonly sessions: number
    readonly pacePerS: number
    readonly budget: number | null
    readonly ms: number
  }[]
  /** leases to let go of now */
  readonly end: readonly string[]
  /** what rests at the sites of the report, whoever was told so */
  readonly senderRests?: readonly (SenderRest & { readonly site: string })[]
}

/** `router.<node>.reports`: those that a sender has for several shards of one process. */
export interface Reports {
  readonly reports: readonly { readonly shard: string; readonly report: Report }[]
}
/** In their order; null: the shard is not, or no longer, this process's, and the report was not heard. */
export interface ReportAnswers {
  readonly answers: readonly (ReportAnswer | null)[]
}

/** `sender.<id>.holdings` → what the sender holds of a shard, for adoption by a new owner. */
export interface HoldingsAsk {
  readonly shard: string
  readonly epoch: number
  readonly router: string
}
export interface Holdings {
  readonly sender: string
  readonly tick: MonoMs
  readonly sessionsFree: number
  readonly leases: readonly (Lease & { readonly open: number; readonly lingering: number; readonly queued: number; readonly orders: readonly number[] })[]
}

/** `router.<shard>.drain`: what the scheduler's release goes by. */
export interface Drain {
  readonly shard: string
  readonly epoch: number
  /** highest order sequence taken from the stream, per lane: what was released after it is still on the way */
  readonly upTo: { readonly urgent: number; readonly bulk: number }
  readonly sites: readonly {
    readonly site: string
    /** recipients held by router and senders */
    readonly urgent: number
    readonly bulk: number
    /** recipients settled or deferred per second, smoothed over a few seconds */
    readonly perS: number
    /** every pool in use rests there; `until` is the soonest end */
    readonly resting: { readonly because: ReplyClass | string; readonly until: EpochMs } | null
    /** pools whose sources all rest, where others still lend: releasing their orders would only park them */
    readonly restingPools?: readonly { readonly pool: string; readonly because: ReplyClass | string; readonly until: EpochMs }[]
    /** From domains whose mail rests there while others' goes on */
    readonly restingSenders?: readonly { readonly from: string; readonly because: ReplyClass | string; readonly until: EpochMs }[]
  }[]
}

/** `ip-manager.allowance`: a router asks for the sites it has mail for; also tells who holds what, for `ip.reputation`. */
export interface AllowanceAsk {
  readonly shard: string
  readonly epoch: number
  readonly router: string
  readonly tick: MonoMs
  readonly sites: readonly { readonly site: string; readonly provider: string | null; readonly pools: readonly string[] }[]
  /** every lease of the shard; absent = as told last */
  readonly leases?: readonly { readonly ip: string; readonly site: string; readonly sender: string; readonly sessions: number; readonly until: EpochMs }[]
}
export interface Allowances {
  readonly epoch: number
  readonly tick: MonoMs
  readonly ms: number
  readonly allowances: readonly Allowance[]
  /** who answers reads `AllowanceAsks` too */
  readonly manyAsks?: true
}
/** Those of several shards of one process, to an ip-manager that says it reads them; answered in their order. */
export interface AllowanceAsks {
  readonly asks: readonly AllowanceAsk[]
}
export interface AllowanceAnswers {
  readonly answers: readonly Allowances[]
}
/** What one IP may do at one site, over all senders. */
export interface Allowance {
  readonly ip: string
  readonly site: string
  readonly pool: string
  readonly mode: SourceMode
  readonly ipMode: IpMode
  readonly lends: boolean
  readonly sessions: number
  readonly pacePerS: number
  /** transactions left today under the ramp; null = no ramp */
  readonly budget: number | null
  readonly because: string
  readonly until: EpochMs | null
}

/**
 * Bucket `reputation`, key `tenant-shares` (JSON): tenants whose mail brought blame on a shared pool (delivery.md §7). The ip-manager writes it, the scheduler
 * releases by it; who does not stand there has the whole share.
 */
export interface TenantShares {
  readonly v: 1
  readonly shares: readonly TenantShare[]
}
export interface TenantShare {
  readonly pool: string
  readonly site: string
  readonly tenant: string
  /** of its weight */
  readonly share: number
  /** mails a second at most: the same share of what the pool's IPs may do there */
  readonly perS: number
  readonly because: string
  readonly until: EpochMs
}

/** `ip-manager.changed`: S5 says no new transaction within a second, so this is pushed, not asked. `site` null = the whole IP. */
export interface SourceChanged {
  readonly epoch: number
  readonly ip: string
  readonly site: string | null
  readonly lends: boolean
  readonly because: string
  readonly until: EpochMs | null
}

/** `scheduler.held`: senders stop starting transactions of the campaign; what they hold comes back as one order each. */
/** What key `held.<tenant>.<id>` says: the campaign is held everywhere, or (state `running`) at these sites. */
export interface HeldKey {
  readonly state: 'paused' | 'running' | 'cancelled'
  readonly sites?: readonly string[]
}

export interface CampaignHeld {
  readonly tenant: string
  readonly campaign: string
  readonly state: 'paused' | 'running' | 'cancelled'
}

/** `scheduler.complained`: counts in the pair's score; one that nobody hears is lost, which a score bears. */
export interface Complained {
  readonly ip: string
  readonly site: string
}
