import type { Fleet } from '../../../protocol/fleet.ts'
import { mergeProviders } from '../../../protocol/providers/merge.ts'
import { BUILT_IN_PROVIDERS, type ProviderTable, providerTable } from '../../../protocol/providers/table.ts'

/** What a lease must say of a source besides its address. */
export interface Source {
  readonly pool: string
  readonly bind: string
  readonly ehlo: string
  readonly egress: string
}

/** The fleet as routing needs it. */
export interface Network {
  readonly sources: ReadonlyMap<string, Source>
  readonly providers: ProviderTable
}

/** Without a fleet there is no source and nothing is lent. A fleet whose `[[isp]]` rows clash was refused at `fleet.apply`; were one to come, the built-in rows hold. */
export function networkOf(fleet: Pick<Fleet, 'ip' | 'isp'> | null): Network {
  return {
    sources: new Map((fleet?.ip ?? []).map((ip) => [ip.address, { pool: ip.pool, bind: ip.bind ?? ip.address, ehlo: ip.ehlo, egress: ip.egress }])),
    providers: providerTable(mergeProviders(BUILT_IN_PROVIDERS, fleet?.isp ?? [])),
  }
}

/** The provider row of a site by its name (`protocol/site-name`): `google`, `proofpoint/…`; null = the tail's. */
export function providerOf(site: string, providers: ProviderTable): string | null {
  const scope = site.split('/', 1)[0] as string
  return providers.rows.some(({ name }) => name === scope) ? scope : null
}
