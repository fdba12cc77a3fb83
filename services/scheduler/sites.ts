import { BUILT_IN_PROVIDERS, type ProviderTable, providerTable } from '../../protocol/providers/table.ts'
import { mergeProviders } from '../../protocol/providers/merge.ts'
import type { FleetIsp } from '../../protocol/fleet.ts'
import { shardOf, siteOf } from '../../protocol/site.ts'
import type { ReplyClass } from '../../protocol/words.ts'
import { registrableDomain } from '../runtime/dns/registrable-domain.ts'
import { type MailSite, mailSites } from '../runtime/dns/mail-sites.ts'
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

  /** `after`: the site whose hosts were out of reach; a backup MX elsewhere is that site's matter, under that site's limits. */
  async of(domain: string, after: string | null = null): Promise<Place> {
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
    const sites = await mailSites(domain, mail.hosts, { resolver: this.#resolver(), providers: this.#providers })
    // In turn: when the last one is out of reach too, the first may be back.
    const next = after === null ? 0 : sites.findIndex(({ site }) => site.site === after) + 1
    const { site } = sites[next % sites.length] as MailSite
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
