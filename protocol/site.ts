import { fnv32 } from './fnv.ts'
import type { ProviderRow } from './providers/row.ts'
import type { ProviderTable } from './providers/table.ts'
import { siteName } from './site-name.ts'

/** What the rule looks at (delivery.md §6). */
export interface SiteQuestion {
  /** of the recipient, ASCII */
  readonly domain: string
  /** where its mail goes; an address literal has its address as the only host */
  readonly hosts: readonly { readonly preference: number; readonly host: string }[]
  /** canonical addresses; null: not known now. Asked only for hosts inside the recipient's own domain */
  readonly addressesOf: (host: string) => readonly string[] | null
  /** by the public-suffix list; null: there is none */
  readonly registrableDomain: (name: string) => string | null
  readonly providers: ProviderTable
}

export interface Site {
  /** unique also in its token form (tokens.ts), ≤ 100 characters */
  readonly site: string
  /** the row whose limits hold; null: the tail's */
  readonly provider: string | null
  readonly shard: string
  readonly why: SiteReason
}

export type SiteReason =
  /** the fleet file claims the recipient domain */
  | 'fleet-domain'
  /** all hosts of the best preference are this provider's; its row says what shares the limits */
  | 'provider'
  | 'provider-hosts'
  | 'provider-domain'
  /** the hosts are the domain's own: named by their address, so that all customers of one box are one site */
  | 'own-address'
  /** one registrable domain runs all hosts */
  | 'mx-domain'
  /** the hosts have no owner in common */
  | 'mx-hosts'

/** Shards of the tail: enough for every process of a large cluster, few enough to own one by one. */
export const TAIL_SHARDS = 32

/**
 * What shares limits with mail for this domain: the first rule that fits, from the hosts of the best preference alone. A backup MX of another site is another
 * question. `hosts` must not be empty: a domain without hosts has no site.
 */
export function siteOf(question: SiteQuestion): Site {
  const { domain, providers } = question
  const claimed = providers.ofDomain(domain)
  if (claimed !== null) return providerSite(claimed, domain, claimed.host === null ? [] : [claimed.host], 'fleet-domain')
  const hosts = bestHosts(question.hosts)
  const row = providers.ofHosts(hosts)
  if (row !== null) return providerSite(row, domain, hosts, null)
  return tailSite(question, hosts)
}

/** A provider has its dedicated router; the others share 32. */
export function shardOf(site: string, provider: string | null): string {
  return provider ?? `t${String(fnv32(site) % TAIL_SHARDS).padStart(2, '0')}`
}

/** Every shard there is under a table. */
export function allShards(providers: ProviderTable): readonly string[] {
  return [...providers.rows.map((row) => row.name), ...Array.from({ length: TAIL_SHARDS }, (_, n) => `t${String(n).padStart(2, '0')}`)]
}

function providerSite(row: ProviderRow, domain: string, hosts: readonly string[], why: SiteReason | null): Site {
  const of = (site: string, reason: SiteReason): Site => ({ site, provider: row.name, shard: shardOf(site, row.name), why: why ?? reason })
  switch (row.per) {
    case 'provider':
      return of(row.name, 'provider')
    case 'hosts':
      return hosts.length === 0 ? of(row.name, 'provider') : of(siteName(row.name, hosts), 'provider-hosts')
    case 'domain':
      return of(siteName(row.name, [domain]), 'provider-domain')
  }
}

function tailSite({ domain, addressesOf, registrableDomain }: SiteQuestion, hosts: readonly string[]): Site {
  const of = (site: string, why: SiteReason): Site => ({ site, provider: null, shard: shardOf(site, null), why })
  const owners = new Set(hosts.map(registrableDomain))
  const [owner = null] = owners
  const own = owners.size === 1 && owner !== null && owner === registrableDomain(domain)
  const inside = hosts.every((host) => isAddress(host) || own || host === domain || host.endsWith(`.${domain}`))
  if (inside) {
    const address = smallestAddress(hosts.flatMap((host) => (isAddress(host) ? [host] : (addressesOf(host) ?? []))))
    if (address !== null) return of(siteName('box', [address]), 'own-address')
  }
  if (owners.size === 1 && owner !== null) return of(siteName(null, [owner]), 'mx-domain')
  return of(siteName('mx', hosts), 'mx-hosts')
}

/** Sorted, each once, in plain form. */
function bestHosts(hosts: SiteQuestion['hosts']): readonly string[] {
  const best = Math.min(...hosts.map(({ preference }) => preference))
  const names = hosts.filter(({ preference }) => preference === best).map(({ host }) => host.toLowerCase().replace(/\.$/, ''))
  return [...new Set(names)].sort()
}

/** IPv4 before IPv6, since some customers of a box publish only the one; null when none is known. */
function smallestAddress(addresses: readonly string[]): string | null {
  const [smallest = null] = addresses.map((address) => address.toLowerCase()).sort((a, b) => (sortable(a) < sortable(b) ? -1 : 1))
  return smallest
}

function sortable(address: string): string {
  return address.includes(':') ? `6${address}` : `4${address.replace(/\d+/g, (octet) => octet.padStart(3, '0'))}`
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}
