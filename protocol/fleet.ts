import { z } from 'zod'
import { Duration } from './duration.ts'
import { Id } from './ids.ts'
import { KINDS } from './words.ts'

/**
 * The fleet document: who may send, from which addresses, with which keys, and how each ISP is treated (design §4). TOML as a file,
 * JSON in bucket `fleet`. Unknown keys are refused. In the bucket a DKIM `key` is the PEM text itself; in a file it may be a path.
 */
const Network = z.strictObject({
  dns: z.array(z.string()).optional(),
  smtp_port: z.number().int().min(1).max(65_535).default(25),
  allow_private_mx: z.boolean().default(false),
  only_private_mx: z.boolean().default(false),
})

const Tenant = z.strictObject({
  name: Id,
  domains: z.array(z.string()).min(1),
  return_path: z.string(),
  feedback_id: z
    .string()
    .regex(/^[A-Za-z0-9]{5,15}$/, 'must be 5 to 15 letters and digits (the SenderId of a Feedback-ID)')
    .optional(),
  weight: z.number().positive().max(1_000).default(1),
  /** recipients released within any 24 hours */
  daily_limit: z.number().int().positive().optional(),
  /** of shared pools with a `tier` it may use those up to its own; absent = all. New tenants start apart in a low one */
  tier: z.number().int().optional(),
  /** recipients of one transactional campaign at most, and of all of them a second: the urgent lane passes everybody else's mail */
  urgent_max: z.number().int().min(1).max(10_000).optional(),
  urgent_rate: z.number().positive().max(100_000).optional(),
})

const Pool = z.strictObject({
  name: Id,
  /** dedicated to these; absent = shared */
  tenants: z.array(Id).optional(),
  kinds: z.array(z.enum(KINDS)).optional(),
  /** of a shared pool: only for tenants of at least this tier */
  tier: z.number().int().optional(),
})

const Ip = z.strictObject({
  address: z.string(),
  bind: z.string().optional(),
  pool: Id,
  ehlo: z.string(),
  warm_since: z.iso.date().optional(),
  egress: z
    .string()
    .regex(/^(bind|auto|socks5:\/\/.+|haproxy:\/\/.+)$/, 'must be bind, auto, socks5://host:port or haproxy://host:port')
    .default('bind'),
})

const Dkim = z.strictObject({
  domain: z.string(),
  tenants: z.array(Id).min(1),
  selector: z.string(),
  key: z.string(),
  from: z.iso.date().optional(),
  until: z.iso.date().optional(),
})

/** Overrides of, or additions to, the provider table. Names as in `Terms`, snake_case. */
const Isp = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  mx: z.array(z.string()).optional(),
  /** recipient domains that go to this row without MX look-up (own relays, LMTP, labs); needs `host` */
  domains: z.array(z.string()).optional(),
  per: z.enum(['provider', 'hosts', 'domain']).optional(),
  sessions_per_ip: z.number().int().min(1).max(1_000).optional(),
  sessions_start: z.number().int().min(1).max(1_000).optional(),
  mails_per_session: z.number().int().min(1).optional(),
  rcpts_per_session: z.number().int().min(1).optional(),
  rcpts_per_transaction: z.number().int().min(1).max(1_000).optional(),
  refused_per_session: z.number().int().min(1).optional(),
  connects_per_minute: z.number().positive().optional(),
  mails_per_second: z.number().positive().optional(),
  max_size: z.number().int().positive().optional(),
  tls: z.enum(['required', 'opportunistic', 'off']).optional(),
  ahead: z.enum(['never', 'learn', 'always']).optional(),
  idle: Duration.optional(),
  protocol: z.enum(['smtp', 'lmtp']).optional(),
  host: z.string().optional(),
  port: z.number().int().min(1).max(65_535).optional(),
  unknown: z.enum(['plain', 'ambiguous']).optional(),
  /** share of unknown users from which a campaign pauses there (delivery.md §7) */
  unknown_max: z.number().positive().max(1).optional(),
  hourly_start: z.number().int().positive().optional(),
  /** how long the site, or (IP × site), is left alone when a reply names no time of its own */
  busy_rest: Duration.optional(),
  source_rest: Duration.optional(),
})

/** What receivers may ask of our connections (RFC 8461, RFC 7672). */
const Tls = z.strictObject({
  mta_sts: z.boolean().default(true),
  /** needs resolvers that validate DNSSEC, reached over a path nobody can tamper with: their AD bit is believed */
  dane: z.boolean().default(false),
  /** certificates trusted beside the system's, as PEM text (in a file it may be a path): own relays, labs */
  ca: z.string().optional(),
  /** in TLS reports (RFC 8460): who we are and whom to ask; default: the domain our hosts greet with, and its postmaster */
  organization: z.string().max(100).optional(),
  contact: z.string().max(200).optional(),
  /** where policy hosts listen; another port is for labs */
  sts_port: z.number().int().min(1).max(65_535).default(443),
})

/** Read in full by `RetryPolicy` (retry.ts) and `compileRules`; here their shape is only "a table". */
const Table = z.record(z.string(), z.unknown())

export const Fleet = z
  .strictObject({
    network: Network.default({ smtp_port: 25, allow_private_mx: false, only_private_mx: false }),
    tenant: z.array(Tenant).default([]),
    pool: z.array(Pool).default([]),
    ip: z.array(Ip).default([]),
    dkim: z.array(Dkim).default([]),
    isp: z.array(Isp).default([]),
    rule: z.array(Table).default([]),
    dnsbl: z.array(Table).default([]),
    retry: Table.optional(),
    suppression: Table.optional(),
    warmup: Table.optional(),
    preflight: z.strictObject({ off: z.boolean().default(false) }).optional(),
    tls: Tls.default({ mta_sts: true, dane: false, sts_port: 443 }),
  })
  .superRefine((fleet, ctx) => {
    const complain = (path: (string | number)[], message: string) => ctx.addIssue({ code: 'custom', path, message })
    const tenants = new Set(fleet.tenant.map((tenant) => tenant.name))
    const pools = new Set(fleet.pool.map((pool) => pool.name))
    twice(
      fleet.tenant.map((tenant) => tenant.name),
      (at, name) => complain(['tenant', at, 'name'], `"${name}" is defined twice`),
    )
    twice(
      fleet.pool.map((pool) => pool.name),
      (at, name) => complain(['pool', at, 'name'], `"${name}" is defined twice`),
    )
    twice(
      fleet.ip.map((ip) => ip.address),
      (at, name) => complain(['ip', at, 'address'], `"${name}" is defined twice`),
    )
    for (const [at, ip] of fleet.ip.entries()) {
      if (!pools.has(ip.pool))
        complain(['ip', at, 'pool'], `pool "${ip.pool}" is not defined; there ${pools.size === 1 ? 'is' : 'are'} ${[...pools].join(', ') || 'none'}`)
    }
    for (const [at, pool] of fleet.pool.entries()) {
      for (const tenant of pool.tenants ?? []) if (!tenants.has(tenant)) complain(['pool', at, 'tenants'], `tenant "${tenant}" is not defined`)
    }
    for (const [at, key] of fleet.dkim.entries()) {
      for (const tenant of key.tenants) if (!tenants.has(tenant)) complain(['dkim', at, 'tenants'], `tenant "${tenant}" is not defined`)
    }
    for (const [at, isp] of fleet.isp.entries()) {
      if (isp.domains && !isp.host) complain(['isp', at, 'host'], '`domains` needs a `host` to send to')
    }
  })
export type Fleet = z.infer<typeof Fleet>
export type FleetTls = Fleet['tls']
export type FleetIp = Fleet['ip'][number]
export type FleetTenant = Fleet['tenant'][number]
export type FleetIsp = Fleet['isp'][number]

/** The pools that mail of a tenant may leave from, the best first: its own, then shared ones of the highest tier it has reached. */
export function poolsOf({ pool, tenant }: Pick<Fleet, 'pool' | 'tenant'>, name: string): readonly Fleet['pool'][number][] {
  const reached = tenant.find((one) => one.name === name)?.tier ?? Number.POSITIVE_INFINITY
  const own = pool.filter(({ tenants }) => tenants?.includes(name))
  const shared = pool.filter(({ tenants, tier }) => tenants === undefined && (tier ?? Number.NEGATIVE_INFINITY) <= reached)
  return [...own, ...shared.sort((a, b) => (b.tier ?? 0) - (a.tier ?? 0))]
}

/** What rests in bucket `fleet`, key `current`. */
export interface FleetRecord {
  readonly revision: number
  readonly appliedAt: string
  readonly fleet: Fleet
  /** signs return paths (delivery.md §9); made at the first apply, kept ever after */
  readonly secret: string
}

/** Documents of before `[tls]` had a shape hold nothing of it. */
export function tlsOf(fleet: { readonly tls?: unknown }): FleetTls {
  const read = Tls.safeParse(fleet.tls ?? {})
  return read.success ? read.data : Tls.parse({})
}

function twice(names: readonly string[], each: (at: number, name: string) => void): void {
  const seen = new Set<string>()
  for (const [at, name] of names.entries()) {
    if (seen.has(name)) each(at, name)
    seen.add(name)
  }
}
