import { BUILT_IN_PROVIDERS, type ProviderTable, providerTable } from '../../protocol/providers/table.ts'
import { mergeProviders } from '../../protocol/providers/merge.ts'
import type { FleetIsp } from '../../protocol/fleet.ts'
import { shardOf, siteOf } from '../../protocol/site.ts'
import type { ReplyClass } from '../../protocol/words.ts'
import { registrableDomain } from '../runtime/dns/registrable-domain.ts'
import type { Resolver } from '../runtime/dns/resolver.ts'

/** Where a recipient domain's mail belongs. */
export type Place =
  | { readonly kind: 'site'; readonly site: string; readonly provider: string | null; readonly shard: string }
  /** it can never be delivered: the recipients' outcome is known */
  | { readonly kind: 'nowhere'; readonly class: Extract<ReplyClass, 'no-such-domain' | 'null-mx'>; readonly because: string }
  /** DNS does not answer now: asked again by the retry table's row for DNS */
  | { readonly kind: 'unknown'; readonly because: string; readonly doubted: boolean }

/** domain → MX → site (delivery.md §6). The resolver remembers and asks once however many ask; nothing is kept here. */
export class Sites {
  readonly #resolver: () => Resolver
  #providers: ProviderTable = providerTable(BUILT_IN_PROVIDERS)

  constructor(resolver: () => Resolver) {
    this.#resolver = resolver
  }

  /** the one that is asked now: another fleet document may name other servers */
  resolver(): Resolver {
    return this.#resolver()
  }

  override(rows: readonly FleetIsp[]): void {
    this.#providers = providerTable(mergeProviders(BUILT_IN_PROVIDERS, rows))
  }

  async of(domain: string): Promise<Place> {
    const claimed = this.#providers.ofDomain(domain)
    if (claimed !== null)
      return {
        kind: 'site',
        ...siteOf({ domain, hosts: [{ preference: 0, host: claimed.host ?? domain }], addressesOf: () => null, registrableDomain, providers: this.#providers }),
      }
    const mail = await this.#resolver().mailHosts(domain)
    switch (mail.kind) {
      case 'nxdomain':
        return { kind: 'nowhere', class: 'no-such-domain', because: `${domain} does not exist` }
      case 'no-mail':
        return { kind: 'nowhere', class: 'no-such-domain', because: `${domain} has neither MX nor address` }
      case 'null-mx':
        return { kind: 'nowhere', class: 'null-mx', because: `${domain} takes no mail (null MX, RFC 7505)` }
      case 'tempfail':
        return { kind: 'unknown', because: mail.because, doubted: mail.doubted }
    }
    const own = mail.hosts.filter(({ host }) => isOwn(host, domain))
    const addresses = new Map<string, readonly string[] | null>()
    for (const { host } of own) {
      const found = await this.#resolver().addresses(host)
      addresses.set(host, found.kind === 'addresses' ? found.addresses : null)
    }
    const site = siteOf({ domain, hosts: mail.hosts, addressesOf: (host) => addresses.get(host) ?? null, registrableDomain, providers: this.#providers })
    return { kind: 'site', site: site.site, provider: site.provider, shard: site.shard }
  }

  /** The share of unknown users that the site's row bears (delivery.md §7). */
  readonly unknownMax = (site: string): number => this.#providers.row(site.split('/', 1)[0] ?? site).unknownMax

  /** Does the site say "unknown" of its users' own filters too (docomo, au)? */
  isAmbiguous(site: string | null): boolean {
    return site !== null && this.#providers.row(site.split('/', 1)[0] ?? site).unknown === 'ambiguous'
  }

  shardOf(site: string, provider: string | null): string {
    return shardOf(site, provider)
  }
}

/** Hosts whose addresses the site rule may ask for: those inside the recipient's own registrable domain. */
function isOwn(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`) || registrableDomain(host) === registrableDomain(domain)
}
