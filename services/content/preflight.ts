/**
 * Preflight: does DNS say what receivers want to see before they take mail of this domain from these IPs (delivery.md §2)?
 * Asked at acceptance, daily, and by `hato doctor`.
 */
import type { Problem } from '../../protocol/campaign.ts'
import { type Fleet, poolsOf } from '../../protocol/fleet.ts'
import type { EpochMs, Kind } from '../../protocol/words.ts'
import type { DkimKey } from './dkim-keys.ts'
import type { Finding, Signing, Source } from './preflight/finding.ts'
import { checkFromDomain } from './preflight/from-domain.ts'
import type { Check } from './preflight/look-up.ts'
import { checkReturnPath } from './preflight/return-path.ts'
import { checkSource } from './preflight/source.ts'

export type { DnsRecord, Finding, Source } from './preflight/finding.ts'
export { type Check, type Found, type LookUp, runCheck } from './preflight/look-up.ts'

/** Of a whole fleet: each domain, return path and IP once. Checks are independent of each other, so they may run side by side. */
export function fleetChecks(fleet: Fleet, keys: readonly DkimKey[], at: EpochMs): Check<readonly Finding[]>[] {
  return [
    ...fleet.tenant.flatMap((tenant) => {
      const sources = sourcesOf(fleet, tenant.name)
      return [
        ...tenant.domains.map((domain) => checkFromDomain(domain, { keys, tenant: tenant.name, at }, sources)),
        checkReturnPath(tenant.return_path, sources),
      ]
    }),
    ...fleet.ip.map(checkSource),
  ]
}

/** Of one campaign: From's domain, the tenant's return path, the pool's IPs. */
export function campaignChecks(asked: { readonly fleet: Fleet; readonly fromDomain: string; readonly pool: string } & Signing): Check<readonly Finding[]>[] {
  const sources = asked.fleet.ip.filter(({ pool }) => pool === asked.pool)
  const tenant = asked.fleet.tenant.find(({ name }) => name === asked.tenant)
  return [checkFromDomain(asked.fromDomain, asked, sources), ...(tenant ? [checkReturnPath(tenant.return_path, sources)] : []), ...sources.map(checkSource)]
}

/** What is bad rejects marketing and warns the rest; what DNS did not tell rejects nobody. */
export function preflightProblems(findings: readonly Finding[], kind: Kind): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const bad = findings.filter(({ verdict }) => verdict === 'bad').map(asProblem)
  const rest = findings.filter(({ verdict }) => verdict === 'warning' || verdict === 'unknown').map(asProblem)
  return kind === 'marketing' ? { problems: bad, warnings: rest } : { problems: [], warnings: [...bad, ...rest] }
}

function asProblem({ about, of, message, publish }: Finding): Problem {
  return { path: `preflight.${about}`, message: `${of}: ${message}${publish ? `; publish ${publish.name} ${publish.type} ${publish.text}` : ''}` }
}

/** Sites that look at the SPF of the header's From, and how many recipients there may meet one that lacks the pool (delivery.md §2). */
export const HEADER_SPF_SITES: ReadonlySet<string> = new Set(['docomo', 'au', 'softbank'])
export const HEADER_SPF_RECIPIENTS = 100

/** Why a campaign with more than so many recipients there cannot be sent; null = From's SPF passes, or DNS did not say. */
export function headerSpfProblem(findings: readonly Finding[]): Problem | null {
  const lacking = findings.find(({ about, verdict }) => about === 'header-spf' && verdict === 'warning')
  return lacking === undefined
    ? null
    : {
        ...asProblem(lacking),
        message: `more than ${HEADER_SPF_RECIPIENTS} recipients at ${[...HEADER_SPF_SITES].join(', ')}, and ${asProblem(lacking).message}`,
      }
}

/** The IPs that mail of a tenant may leave from. */
export function sourcesOf(fleet: Fleet, tenant: string): readonly Source[] {
  const pools = new Set(poolsOf(fleet, tenant).map(({ name }) => name))
  return fleet.ip.filter((one) => pools.has(one.pool))
}
