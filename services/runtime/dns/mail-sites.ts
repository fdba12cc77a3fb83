import type { ProviderTable } from '../../../protocol/providers/table.ts'
import { type Site, siteOf } from '../../../protocol/site.ts'
import type { MailHost } from './mail-hosts.ts'
import { registrableDomain } from './registrable-domain.ts'
import type { Resolver } from './resolver.ts'

/** Hosts of a domain that belong to one site. */
export interface MailSite {
  readonly site: Site
  readonly hosts: readonly MailHost[]
}

/**
 * The sites of a domain's hosts, preference by preference: the first is where its mail goes, each further one a backup that shares limits with others than
 * the first (delivery.md §6).
 */
export async function mailSites(
  domain: string,
  hosts: readonly MailHost[],
  { resolver, providers }: { readonly resolver: Pick<Resolver, 'addresses'>; readonly providers: ProviderTable },
): Promise<readonly MailSite[]> {
  const addresses = new Map<string, readonly string[] | null>()
  for (const { host } of hosts) {
    if (!isOwn(host, domain)) continue
    const found = await resolver.addresses(host)
    addresses.set(host, found.kind === 'addresses' ? found.addresses : null)
  }
  const sites = new Map<string, { readonly site: Site; readonly hosts: MailHost[] }>()
  for (const preference of [...new Set(hosts.map((one) => one.preference))].sort((a, b) => a - b)) {
    const equals = hosts.filter((one) => one.preference === preference)
    const site = siteOf({ domain, hosts: equals, addressesOf: (host) => addresses.get(host) ?? null, registrableDomain, providers })
    const known = sites.get(site.site)
    if (known === undefined) sites.set(site.site, { site, hosts: equals })
    else known.hosts.push(...equals)
  }
  return [...sites.values()]
}

/** Hosts whose addresses the site rule may ask for: those inside the recipient's own registrable domain. */
function isOwn(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`) || registrableDomain(host) === registrableDomain(domain)
}
