import type { Terms } from '../messages/permission.ts'

/**
 * Where a value comes from, and when it was read. K: KumoMTA's shipped shaping · KC: its community file · P: the provider's own page ·
 * S: published bounce samples · 3: a third party · A: our assumption · fleet: the operator's file.
 */
export type Source = `${'K' | 'KC' | 'P' | 'S' | '3' | 'A'} ${string}` | 'fleet'

/** How a provider wants to be treated: one row per provider, matched by its MX hosts and never by the recipient's domain (domains move). */
export interface ProviderRow extends Omit<Terms, 'host' | 'port'> {
  /** the site's and shard's word: `[a-z0-9-]`, so that it is a subject token as it stands */
  readonly name: string
  /** MX host suffixes, lower case, matched on a label boundary; the longest of all rows wins */
  readonly mx: readonly string[]
  /** recipient domains of this row without an MX look-up (own relays, LMTP, labs) */
  readonly domains: readonly string[]
  /** what shares the limits: everybody there, the customers of one host set, or each recipient domain alone */
  readonly per: 'provider' | 'hosts' | 'domain'
  /** rows of one group share a source's reputation, without sharing windows */
  readonly reputation: string
  /** sessions from one IP: where the window starts, and where it ends */
  readonly sessionsPerIp: { readonly start: number; readonly max: number }
  /** pace from one IP */
  readonly mailsPerSecond: number
  /** the share of unknown users among the last results from which a campaign pauses here (delivery.md §7), 0–1 */
  readonly unknownMax: number
  /** mails an hour that a new IP bears; null: the ramp's own start */
  readonly hourlyStart: number | null
  /** how complaints come back, if they do */
  readonly complaints: 'arf' | 'aggregate' | 'none'
  /** whether local parts that need quotes (`taro..y@`) exist there */
  readonly quotes: 'when-needed' | 'never'
  /** no two recipient domains in one transaction */
  readonly oneDomainPerTransaction: boolean
  /** how long it is left alone when a reply names no time of its own: `busyMs` the site, `sourceMs` the first cooling of (IP × site); connects failed in a row before the site rests */
  readonly rest: { readonly busyMs: number; readonly sourceMs: number; readonly failedConnects: number }
  readonly host: string | null
  readonly port: number | null
  /** the origin of each value that is not the default */
  readonly since: { readonly [column in keyof ProviderRow]?: Source }
  /** hosts of the best preference of real customers; the table's test holds each row to them */
  readonly sampleMx: readonly (readonly string[])[]
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const MB = 1_048_576

/** What any other receiver gets; the default of every column. */
export const TAIL: ProviderRow = {
  name: 'tail',
  mx: [],
  domains: [],
  per: 'provider',
  reputation: 'tail',
  sessionsPerIp: { start: 5, max: 10 },
  sessionsPerAddress: 5,
  mailsPerSession: 100,
  rcptsPerSession: 1_000,
  rcptsPerTransaction: 20,
  refusedPerSession: 5,
  connectsPerMinute: 100,
  mailsPerSecond: 100,
  maxSizeBytes: 25 * MB,
  tls: 'opportunistic',
  ahead: 'learn',
  idleMs: 30_000,
  protocol: 'smtp',
  unknown: 'plain',
  unknownMax: 0.05,
  hourlyStart: null,
  complaints: 'none',
  quotes: 'when-needed',
  oneDomainPerTransaction: true,
  rest: { busyMs: 5 * MINUTE_MS, sourceMs: 90 * MINUTE_MS, failedConnects: 5 },
  host: null,
  port: null,
  since: {
    sessionsPerIp: 'K 2026-08',
    sessionsPerAddress: 'A 2026-11',
    mailsPerSession: 'K 2026-08',
    rcptsPerSession: 'A 2026-11',
    rcptsPerTransaction: 'A 2026-11',
    refusedPerSession: 'A 2026-11', // Postfix tarpits after 10 unknown users and cuts after 20 (tried)
    connectsPerMinute: 'K 2026-08',
    mailsPerSecond: 'K 2026-08',
    maxSizeBytes: 'A 2026-11', // what Hato itself accepts; the EHLO reply's SIZE says the rest
    idleMs: 'K 2026-08',
    unknownMax: 'A 2026-11',
    rest: 'K 2026-08',
  },
  sampleMx: [],
}

type Spec = Pick<ProviderRow, 'name' | 'mx' | 'mailsPerSession' | 'since' | 'sampleMx'> &
  Partial<Omit<ProviderRow, 'rest' | 'sessionsPerIp' | 'ahead'>> & {
    readonly sessionsPerIp: number | ProviderRow['sessionsPerIp']
    readonly rest?: Partial<ProviderRow['rest']>
  }

/**
 * A built-in row: the tail's values where the row says nothing. `ahead` is `never` for all of them: where sessions and rate are limited it wins nothing,
 * and some software takes it badly (Haraka: 503, then the body read as commands; tried), which no MX name tells.
 */
export function provider({ sessionsPerIp, rest, ...spec }: Spec): ProviderRow {
  return {
    ...TAIL,
    ahead: 'never',
    reputation: spec.name,
    ...spec,
    sessionsPerIp: typeof sessionsPerIp === 'number' ? upTo(sessionsPerIp) : sessionsPerIp,
    rest: { ...TAIL.rest, ...rest },
  }
}

/** A window's start for a limit of `max`: two clean rounds from it. */
export function upTo(max: number): ProviderRow['sessionsPerIp'] {
  return { start: Math.min(max, max >= 10 ? 5 : 2), max }
}
