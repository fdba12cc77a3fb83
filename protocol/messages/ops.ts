import { z } from 'zod'
import type { Problem } from '../campaign.ts'
import { Duration } from '../duration.ts'
import type { IpMode, SourceMode } from '../words.ts'

/** What every request answers when it cannot: the thing, the two values, what happens next. */
export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string; readonly problems?: readonly Problem[] }
}

/** `site`: pause or resume there only; a resume without it lifts what breakers paused as well. */
export const CampaignControl = z
  .strictObject({ action: z.enum(['pause', 'resume', 'cancel']), site: z.string().min(1).max(100).optional() })
  .refine(({ site }) => site !== '*', { path: ['site'], message: 'without a site it is everywhere' })
  .refine(({ action, site }) => action !== 'cancel' || site === undefined, { path: ['site'], message: 'a campaign is cancelled as a whole' })

export const IpControl = z.strictObject({
  action: z.enum(['quarantine', 'release', 'drain']),
  because: z.string().max(500).default('by hand'),
  for: Duration.optional(),
})
export type IpControl = z.infer<typeof IpControl>

export const IspControl = z.strictObject({
  action: z.enum(['pause', 'resume', 'limit', 'clear']),
  sessionsPerIp: z.number().int().min(1).max(1_000).optional(),
  /** mails per second over the site */
  rate: z.number().positive().optional(),
  id: z.string().max(64).optional(),
  for: Duration.default(3_600_000),
  by: z.string().max(100).default('ops'),
})
export type IspControl = z.infer<typeof IspControl>

export interface IpReputation {
  readonly ips: readonly {
    readonly address: string
    readonly pool: string
    readonly mode: IpMode
    readonly because: string | null
    readonly until: string | null
    /** block lists (`[[dnsbl]]`) that name it, with their code; absent where none does */
    readonly listings?: Readonly<Record<string, string>>
    readonly isps: Readonly<Record<string, IspReputation>>
  }[]
}
export interface IspReputation {
  readonly mode: SourceMode
  /** 0 (bad) to 1 (good) */
  readonly score: number
  readonly because: string | null
  readonly until: string | null
  readonly delivered: number
  readonly deferred: number
  readonly bounced: number
  readonly blocked: number
  readonly complaints: number | 'unknown'
  readonly rampDay: number | null
  readonly rampLimit: number | null
  readonly sentToday: number
  readonly leases: readonly { readonly sender: string; readonly sessions: number; readonly until: string; readonly epoch: number }[]
  /** only in `ip.reputation.<address>`, where there is any: source-blames by the tenant whose recipients caused them (delivery.md §7) */
  readonly blamedBy?: Readonly<Record<string, number>>
  /** likewise, of a shared pool: tenants whose share is halved there, with what is left of it */
  readonly tenantShares?: Readonly<Record<string, number>>
}

/** `ip.events.<address token>`: one change of mode; `site` null = of the IP as a whole. */
export interface IpEvent {
  readonly address: string
  readonly site: string | null
  readonly from: SourceMode | IpMode
  readonly to: SourceMode | IpMode
  readonly because: string
  readonly until: string | null
  readonly at: string
  /** the reply that caused it, cut at 300 characters */
  readonly reply?: string
}

export interface IpControlled {
  readonly ok: true
  readonly mode: IpMode
  readonly until: string | null
}

export interface FleetApplied {
  readonly ok: true
  readonly revision: number
  readonly warnings: readonly Problem[]
}

export interface IspStatus {
  readonly sites: readonly {
    readonly site: string
    readonly owner: string
    readonly epoch: number
    /** recipients waiting in router and senders, by lane */
    readonly waiting: { readonly urgent: number; readonly bulk: number }
    readonly ips: readonly {
      readonly address: string
      readonly mode: SourceMode
      readonly window: number
      readonly open: number
      readonly pace: number
      readonly because: string | null
    }[]
    readonly resting: { readonly because: string; readonly until: string } | null
    readonly actions: readonly { readonly id: string; readonly action: string; readonly by: string; readonly until: string }[]
    readonly lastReplies: readonly { readonly at: string; readonly ip: string; readonly reply: string }[]
  }[]
}

/** Why somebody is suppressed. NOTE: the scheduler keeps them by their number here: new ones go to the end, sixteen at most. */
export const SUPPRESSION_REASONS = [
  'unknown-user',
  'mailbox-full',
  'mailbox-disabled',
  'complaint',
  'unsubscribe',
  'by-hand',
  'no-such-domain',
  'ambiguous-user',
] as const
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number]

/** Stands for the tenant where all of them are meant: the list that only operators fill. No tenant can be called so. */
export const EVERYBODY = '@all'

export const SuppressionEntry = z.strictObject({
  address: z.string().max(320),
  reason: z.enum(SUPPRESSION_REASONS).default('by-hand'),
  list: z.string().max(64).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).nullish(),
  reply: z.string().max(500).optional(),
})
export type SuppressionEntry = z.infer<typeof SuppressionEntry>

/** `suppression.<tenant>`; lists page by `after`: `next` of the page before, or its last address. */
export const SuppressionAsk = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('add'), entries: z.array(SuppressionEntry).min(1).max(500) }),
  z.strictObject({ action: z.literal('remove'), addresses: z.array(z.string().max(320)).min(1).max(500), list: z.string().max(64).optional() }),
  z.strictObject({
    action: z.literal('list'),
    address: z.string().optional(),
    after: z.string().optional(),
    limit: z.number().int().min(1).max(1_000).default(100),
  }),
  /** CSV; where one line is unusable nothing is imported, unless `skipUnusable` */
  z.strictObject({ action: z.literal('import'), object: z.string().max(500), skipUnusable: z.boolean().default(false) }),
  z.strictObject({ action: z.literal('export'), object: z.string().max(500) }),
])
export type SuppressionAsk = z.infer<typeof SuppressionAsk>

/** The answer to `list`. `total`: entries of the tenant; `next` null = that was the last page. */
export interface SuppressionPage {
  readonly entries: readonly SuppressionEntry[]
  readonly total: number
  readonly next: string | null
}

export const Feedback = z.strictObject({
  id: z.string().min(1).max(200),
  kind: z.enum(['bounce', 'complaint', 'unsubscribe']),
  at: z.iso.datetime({ offset: true }),
  token: z.string().optional(),
  rcpt: z.string().optional(),
  ref: z.string().optional(),
  campaign: z.string().optional(),
  list: z.string().optional(),
  class: z.string().optional(),
  source: z.string(),
})
export type Feedback = z.infer<typeof Feedback>
