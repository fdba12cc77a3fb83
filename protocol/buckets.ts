import { EVERYBODY } from './messages/ops.ts'
import type { ActorRole, Role } from './subjects.ts'

/** Key-value buckets: history 1 (2 stored 60 s for 5, tried). */
export interface BucketSpec {
  readonly name: BucketName
  /** per-key TTL by `Nats-TTL` allowed */
  readonly ttl: boolean
  /** who may write which keys (`*`, `>` as in subjects) */
  readonly writes: Readonly<Partial<Record<ActorRole, readonly string[]>>>
  readonly reads: readonly ActorRole[]
  readonly why: string
}
export type BucketName = 'owners' | 'campaigns' | 'fleet' | 'reputation' | 'policies'

export const KEYS = {
  node: (role: string, id: string) => `node.${role}.${id}`,
  owner: (role: string, shard: string) => `${role}.${shard}`,
  campaigns: 'campaign.>',
  allHeld: 'held.>',
  campaign: (tenant: string, id: string) => `campaign.${tenant}.${id}`,
  /** stands while a campaign is paused or cancelling: senders watch these and let go of its mail */
  held: (tenant: string, id: string) => `held.${tenant}.${id}`,
  /** verdicts, strikes, brakes and breakers, with the journal's position they are true for */
  hygiene: 'hygiene',
  /** up to where FEEDBACK was acted on */
  feedback: 'feedback',
  /** DKIM keys that DNS does not show: senders sign with the others */
  dkimKeys: 'dkim-keys',
  fleet: 'current',
  siteMemory: (shard: string) => `router.${shard}`,
  ipMemory: 'ip-manager',
  ipActions: 'ip-actions',
  tenantShares: 'tenant-shares',
  allotments: 'allotments',
  stsPolicy: (domain: string) => `sts.${domain}`,
  stsPolicies: 'sts.>',
  /** a host whose STARTTLS broke */
  plaintextHost: (host: string) => `plain.${host}`,
  plaintextHosts: 'plain.>',
  /** one sender's counts of one UTC day; `*` for all of them */
  tlsCounts: (day: string, sender: string) => `tlsrpt.${day}.${sender}`,
} as const

const ACTORS = ['scheduler', 'domain-router', 'ip-manager', 'sender'] as const satisfies readonly ActorRole[]
/** Nobody says that another lives, or takes another role's shards. */
const lifeOf = (role: ActorRole): readonly string[] => [KEYS.node(role, '*'), KEYS.owner(role, '*')]

export const BUCKETS = [
  {
    name: 'owners',
    ttl: true,
    writes: { scheduler: lifeOf('scheduler'), 'domain-router': lifeOf('domain-router'), 'ip-manager': lifeOf('ip-manager'), sender: lifeOf('sender') },
    reads: ACTORS,
    why: 'who lives (`node.<role>.<id>`, TTL) and who owns what (`<role>.<shard>`, CAS)',
  },
  {
    name: 'campaigns',
    ttl: true,
    writes: { scheduler: [KEYS.allotments, KEYS.campaign('*', '*'), KEYS.dkimKeys, KEYS.feedback, KEYS.held('*', '*'), KEYS.hygiene] },
    reads: ['scheduler', 'sender'],
    why: 'each campaign: state, counts, where its list and outcomes have been read to; which DKIM keys DNS does not show',
  },
  {
    name: 'fleet',
    ttl: false,
    writes: { 'ip-manager': [KEYS.fleet, KEYS.ipActions] },
    reads: ACTORS,
    why: 'the fleet document in force; actions on IPs and sites',
  },
  {
    name: 'reputation',
    ttl: false,
    writes: { 'ip-manager': [KEYS.ipMemory, KEYS.tenantShares], 'domain-router': [KEYS.siteMemory('*')] },
    reads: ['ip-manager', 'domain-router', 'scheduler'],
    why: "ip-manager's and routers' memory per IP and site; tenants' shares of shared pools",
  },
  {
    name: 'policies',
    ttl: true,
    writes: { sender: [KEYS.stsPolicies, KEYS.plaintextHosts, KEYS.tlsCounts('*', '*')] },
    reads: ['sender', 'scheduler'],
    why: 'what receivers publish about TLS (MTA-STS), as long as they ask to have it remembered; hosts whose TLS broke, 3 days; counts for TLS reports, 4 days',
  },
] as const satisfies readonly BucketSpec[]

/** The suppression lists' index as it was, so that a scheduler need not read the whole log. */
export const SUPPRESSION_SNAPSHOT = `suppression/${EVERYBODY}/snapshot`

/** Lists, attachments and campaign contents. */
export const OBJECT_BUCKET = 'hato'
/** Of every object bucket. Senders read contents and attachments. */
export const OBJECT_RIGHTS = { writes: ['scheduler', 'ops'], reads: ['scheduler', 'sender', 'ops'] } as const satisfies Record<string, readonly Role[]>
/** One UTC day's TLS reports (RFC 8460), gzipped JSON. */
export const tlsReportObject = (day: string): string => `tls-reports/${day}.json.gz`
/** What the tenant's own programs put, and no other tenant can read or replace. */
export const tenantObjectBucket = (tenant: string): string => `${OBJECT_BUCKET}-${tenant}`

/** Where Hato itself puts what belongs to one tenant in the bucket of all: `content/<tenant>/…`. */
const AREAS = ['content', 'lists', 'suppression'] as const
export const objectOf = (area: (typeof AREAS)[number], tenant: string, rest: string): string => `${area}/${tenant}/${rest}`

/** Whose an object in the bucket of all is by its name; null = everybody's. A folder that is named as no tenant is just a folder. */
export function ownerOfObject(name: string, tenants: readonly string[]): string | null {
  const [area, tenant, rest] = name.split('/')
  const owned = tenant === EVERYBODY || tenants.includes(tenant as string) // what concerns all tenants is for none of them to read
  return rest !== undefined && (AREAS as readonly string[]).includes(area as string) && owned ? (tenant as string) : null
}
