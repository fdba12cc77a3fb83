/** Sessions by policy domain and day (RFC 8460): what senders count, and the report that a domain gets of it. */

/** RFC 8460 4.3 */
export const TLS_TROUBLES = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const
export type TlsTrouble = (typeof TLS_TROUBLES)[number]

/** Which published policy a session is counted under (RFC 8460 4.2). */
export interface PolicyShown {
  readonly domain: string
  readonly type: 'tlsa' | 'sts' | 'no-policy-found'
  /** the policy's lines, or the TLSA records' texts */
  readonly strings: readonly string[]
  /** the patterns of an MTA-STS policy, or the host of a TLSA record */
  readonly mx: readonly string[]
}

export interface SessionSeen {
  readonly shown: PolicyShown
  /** null = it was as the policy wants it */
  readonly trouble: TlsTrouble | null
  /** our source address ('' = there was no session), and the mail host */
  readonly ip: string
  readonly mx: string
}

interface FailureCount {
  readonly trouble: TlsTrouble
  readonly ip: string
  readonly mx: string
  count: number
}
interface PolicyCount {
  readonly shown: PolicyShown
  ok: number
  failed: number
  readonly failures: FailureCount[]
}
interface DomainCount {
  /** where reports are wanted: `mailto:` and `https:` */
  rua: readonly string[]
  readonly policies: PolicyCount[]
}

/** One sender's counts of one day, or those of all of them. JSON. */
export interface TlsCounts {
  readonly v: 1
  readonly day: string
  readonly domains: Record<string, DomainCount>
}

/** Domains a day that one sender counts (only those that ask for reports); some 300 bytes each, and one message holds them. */
const DOMAINS_MOST = 2_000
/** A policy changes now and then, a handful of hosts fail in a few ways each: more says nothing more, it is still in `failed`. */
const POLICIES_MOST = 10
const FAILURES_MOST = 50

export const noCounts = (day: string): TlsCounts => ({ v: 1, day, domains: {} })
/** The UTC day of a moment. */
export const dayOf = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 10)

/** The addresses a domain's `_smtp._tls` record names (RFC 8460 3); empty = it wants no reports. */
export function reportAddresses(texts: readonly string[]): string[] {
  const records = texts.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text))
  if (records.length !== 1) return []
  const rua = /;[ \t]*rua[ \t]*=([^;]{1,1000})/.exec(records[0] as string)?.[1] ?? ''
  return rua
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => /^(mailto:|https:)/.test(uri))
    .slice(0, 5)
}

/** Counts a session into `counts`. */
export function countSession(counts: TlsCounts, { shown, trouble, ip, mx }: SessionSeen, rua: readonly string[]): void {
  add(counts, shown, rua, trouble === null ? 1 : 0, trouble === null ? 0 : 1, trouble === null ? [] : [{ trouble, ip, mx, count: 1 }], DOMAINS_MOST)
}

/** Everybody's counts of one day together. */
export function mergeCounts(day: string, all: readonly TlsCounts[]): TlsCounts {
  const counts = noCounts(day)
  for (const { domains } of all) {
    for (const { rua, policies } of Object.values(domains)) {
      for (const { shown, ok, failed, failures } of policies) add(counts, shown, rua, ok, failed, failures, Number.POSITIVE_INFINITY)
    }
  }
  return counts
}

function add(counts: TlsCounts, shown: PolicyShown, rua: readonly string[], ok: number, failed: number, failures: readonly FailureCount[], most: number): void {
  let domain = counts.domains[shown.domain]
  if (domain === undefined) {
    if (Object.keys(counts.domains).length >= most) return
    domain = { rua, policies: [] }
    counts.domains[shown.domain] = domain
  }
  domain.rua = rua
  const key = keyOf(shown)
  let policy = domain.policies.find((one) => keyOf(one.shown) === key)
  if (policy === undefined) {
    if (domain.policies.length >= POLICIES_MOST) return
    policy = { shown, ok: 0, failed: 0, failures: [] }
    domain.policies.push(policy)
  }
  policy.ok += ok
  policy.failed += failed
  for (const failure of failures) {
    const known = policy.failures.find(({ trouble, ip, mx }) => trouble === failure.trouble && ip === failure.ip && mx === failure.mx)
    if (known !== undefined) known.count += failure.count
    else if (policy.failures.length < FAILURES_MOST) policy.failures.push({ ...failure })
  }
}

const keyOf = ({ type, strings, mx }: PolicyShown): string => JSON.stringify([type, strings, mx])

/** A report as RFC 8460 4.4 writes it. */
export interface TlsReport {
  readonly 'organization-name': string
  readonly 'date-range': { readonly 'start-datetime': string; readonly 'end-datetime': string }
  readonly 'contact-info': string
  readonly 'report-id': string
  readonly policies: readonly {
    readonly policy: {
      readonly 'policy-type': PolicyShown['type']
      readonly 'policy-string'?: readonly string[]
      readonly 'policy-domain': string
      readonly 'mx-host'?: readonly string[]
    }
    readonly summary: { readonly 'total-successful-session-count': number; readonly 'total-failure-session-count': number }
    readonly 'failure-details'?: readonly {
      readonly 'result-type': TlsTrouble
      readonly 'sending-mta-ip'?: string
      readonly 'receiving-mx-hostname': string
      readonly 'failed-session-count': number
    }[]
  }[]
}

/** What the daily object holds: a report per policy domain, with where it is wanted. */
export interface DailyTlsReports {
  readonly day: string
  readonly reports: readonly { readonly to: readonly string[]; readonly report: TlsReport }[]
}

export function tlsReports({ day, domains }: TlsCounts, by: { readonly organization: string; readonly contact: string }): DailyTlsReports {
  return {
    day,
    reports: Object.entries(domains)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([domain, { rua, policies }]) => ({
        to: rua,
        report: {
          'organization-name': by.organization,
          'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
          'contact-info': by.contact,
          'report-id': `${day}.${domain}@${by.organization}`,
          policies: policies.map(({ shown, ok, failed, failures }) => ({
            policy: {
              'policy-type': shown.type,
              ...(shown.strings.length > 0 && { 'policy-string': shown.strings }),
              'policy-domain': domain,
              ...(shown.mx.length > 0 && { 'mx-host': shown.mx }),
            },
            summary: { 'total-successful-session-count': ok, 'total-failure-session-count': failed },
            ...(failures.length > 0 && {
              'failure-details': failures.map(({ trouble, ip, mx, count }) => ({
                'result-type': trouble,
                ...(ip !== '' && { 'sending-mta-ip': ip }),
                'receiving-mx-hostname': mx,
                'failed-session-count': count,
              })),
            }),
          })),
        },
      })),
  }
}

/** Who reports: as `[tls]` says, else the domain our hosts greet with. */
export function reporterOf(fleet: {
  readonly tls?: { readonly organization?: string | undefined; readonly contact?: string | undefined }
  readonly ip: readonly { readonly ehlo: string }[]
}): {
  readonly organization: string
  readonly contact: string
} {
  const ehlo = fleet.ip[0]?.ehlo ?? 'localhost'
  const organization = fleet.tls?.organization ?? (ehlo.split('.').length > 2 ? ehlo.slice(ehlo.indexOf('.') + 1) : ehlo)
  return { organization, contact: fleet.tls?.contact ?? `postmaster@${organization}` }
}
