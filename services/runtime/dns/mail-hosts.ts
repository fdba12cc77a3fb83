import type { Answer } from './answer.ts'
import { addressLiteral, dnsName, isRoot, mxHost } from './names.ts'
import type { QueryType, RecordOf } from './wire.ts'

export interface MailHost {
  readonly preference: number
  /** lower case, no trailing dot; an address for an address literal */
  readonly host: string
}

/** Where mail for a domain goes. `ttlS`: how long that may be believed. */
export type MailHosts =
  /** by preference, then name; each host once. `implicit`: there is no MX, the domain is its own host (RFC 5321 5.1), or the domain is an address literal */
  | { readonly kind: 'hosts'; readonly hosts: readonly MailHost[]; readonly implicit: boolean; readonly ttlS: number }
  /** the domain says that it takes no mail (RFC 7505) */
  | { readonly kind: 'null-mx'; readonly ttlS: number }
  | { readonly kind: 'nxdomain'; readonly ttlS: number }
  /** the name exists, but has no MX and no address, or only MX records that name no host */
  | { readonly kind: 'no-mail'; readonly ttlS: number }
  /** `doubted`: the resolver denies this name, and those that surely exist as well */
  | { readonly kind: 'tempfail'; readonly because: string; readonly doubted: boolean; readonly ttlS: number }

type Resolve = <T extends QueryType>(name: string, type: T) => Promise<Answer<T>>

/** An address does not change its host; a day, as for other answers. */
const LITERAL_TTL_S = 86_400

export async function mailHostsOf(resolve: Resolve, domain: string): Promise<MailHosts> {
  const address = addressLiteral(domain)
  if (address !== null) return { kind: 'hosts', hosts: [{ preference: 0, host: address }], implicit: true, ttlS: LITERAL_TTL_S }
  const mx = await resolve(domain, 'MX')
  if (mx.rcode === 'NXDOMAIN') return { kind: 'nxdomain', ttlS: mx.ttlS }
  if (mx.rcode !== 'NOERROR') return { kind: 'tempfail', because: mx.because ?? mx.rcode, doubted: mx.rcode === 'DOUBTED', ttlS: mx.ttlS }
  return mx.records.length > 0 ? hostsOfRecords(mx.records, mx.ttlS) : implicitHost(resolve, domain, mx.ttlS)
}

/** What the MX records of a domain mean. The root beside other records, and records that name no host, are left out, as their owner's mistake. */
export function hostsOfRecords(records: readonly RecordOf['MX'][], ttlS: number): MailHosts {
  if (records.every((record) => isRoot(record.exchange))) return { kind: 'null-mx', ttlS }
  const best = new Map<string, number>()
  for (const { preference, exchange } of records) {
    const host = mxHost(exchange)
    if (host !== null) best.set(host, Math.min(preference, best.get(host) ?? preference))
  }
  if (best.size === 0) return { kind: 'no-mail', ttlS }
  const hosts = [...best].map(([host, preference]) => ({ preference, host })).sort((a, b) => a.preference - b.preference || (a.host < b.host ? -1 : 1))
  return { kind: 'hosts', hosts, implicit: false, ttlS }
}

async function implicitHost(resolve: Resolve, domain: string, mxTtlS: number): Promise<MailHosts> {
  const [a, aaaa] = await Promise.all([resolve(domain, 'A'), resolve(domain, 'AAAA')])
  const ttlS = Math.min(mxTtlS, a.ttlS, aaaa.ttlS)
  if (a.records.length > 0 || aaaa.records.length > 0)
    return { kind: 'hosts', hosts: [{ preference: 0, host: dnsName(domain) ?? domain }], implicit: true, ttlS }
  const failed = [a, aaaa].find((answer) => answer.rcode !== 'NOERROR' && answer.rcode !== 'NXDOMAIN')
  if (failed !== undefined) return { kind: 'tempfail', because: failed.because ?? failed.rcode, doubted: failed.rcode === 'DOUBTED', ttlS }
  return { kind: 'no-mail', ttlS }
}
