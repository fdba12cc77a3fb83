import type { Hop, Route } from '../route.ts'
import type { SessionFacts } from '../../smtp/types.ts'
import { type Finding, foundWithoutReply } from '../attempt.ts'

/** a next hop that the fleet file names */
const OUR_OWN = { kind: 'go', need: null, vouched: true, shown: { domain: '', type: 'no-policy-found', strings: [], mx: [] }, amiss: null } as const

/**
 * The route for a mail that must stay under verified TLS (REQUIRETLS, RFC 8689 4.2.1): hosts that are proven to be the domain's, by MTA-STS, DNSSEC or our
 * own configuration, each to be authenticated, and to be asked for the extension. A finding where there is none.
 */
export function requiringTls(route: Extract<Route, { kind: 'hops' }>): Extract<Route, { kind: 'hops' }> | Finding {
  const hops = route.hops.flatMap((hop): Hop[] => {
    const { tls = OUR_OWN } = hop
    if (!tls.vouched) return []
    return [{ ...hop, tls: { ...tls, need: tls.need?.kind === 'dane' ? tls.need : { kind: 'pkix' } }, requireTls: true }]
  })
  const hosts = [...new Set(route.hops.map(({ host }) => host))].join(', ')
  return hops.length > 0
    ? { ...route, hops }
    : unlessFurther(cannotRequire(`neither MTA-STS nor DNSSEC says that mail for the domain goes to ${hosts}`, null), route)
}

/** Does an open session do for such a mail? */
export function bearsRequired({ host, tls, extensions }: Pick<SessionFacts, 'host' | 'tls' | 'extensions'>, hops: readonly Hop[]): boolean {
  return extensions.keywords.has('REQUIRETLS') && tls !== null && (tls.verified || tls.dane) && hops.some((hop) => hop.host === host)
}

/** The end of a recipient whose mail could only go out by breaking the promise (RFC 8689 4.2.1: 5.7.30). */
export function cannotRequire(because: string, mx: string | null): Finding {
  return { ...foundWithoutReply('bounced', 'tls-policy', 'domain', `REQUIRETLS: ${because}`, 'starttls'), enhanced: '5.7.30', mx }
}

/** A backup at another site may keep the promise that this one cannot: the recipient waits for an order under that site. */
export function unlessFurther(finding: Finding, { further }: Pick<Extract<Route, { kind: 'hops' }>, 'further'>): Finding {
  return further && finding.outcome === 'bounced' && finding.class === 'tls-policy' ? { ...finding, outcome: 'deferred', blames: 'host' } : finding
}
