/** Key-value buckets: history 1 (2 stored 60 s for 5, tried). */
export interface BucketSpec {
  readonly name: BucketName
  /** per-key TTL by `Nats-TTL` allowed */
  readonly ttl: boolean
  readonly why: string
}
export type BucketName = 'owners' | 'campaigns' | 'fleet' | 'reputation'

export const BUCKETS = [
  { name: 'owners', ttl: true, why: 'who lives (`node.<role>.<id>`, TTL) and who owns what (`<role>.<shard>`, CAS)' },
  { name: 'campaigns', ttl: true, why: 'each campaign: state, counts, where its list and outcomes have been read to' },
  { name: 'fleet', ttl: false, why: 'the fleet document in force; actions on IPs and sites' },
  { name: 'reputation', ttl: false, why: "ip-manager's and routers' memory per IP and site" },
] as const satisfies readonly BucketSpec[]

/** Lists, attachments and campaign contents. */
export const OBJECT_BUCKET = 'hato'

export const KEYS = {
  node: (role: string, id: string) => `node.${role}.${id}`,
  owner: (role: string, shard: string) => `${role}.${shard}`,
  campaign: (tenant: string, id: string) => `campaign.${tenant}.${id}`,
  /** stands while a campaign is paused or cancelling: senders watch these and let go of its mail */
  held: (tenant: string, id: string) => `held.${tenant}.${id}`,
  fleet: 'current',
  siteMemory: (shard: string) => `router.${shard}`,
  ipMemory: 'ip-manager',
  ipActions: 'ip-actions',
} as const
