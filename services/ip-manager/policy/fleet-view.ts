import { type DnsblConfig, dnsblZones } from '../../../protocol/dnsbl-config.ts'
import type { Fleet, FleetIp } from '../../../protocol/fleet.ts'
import { mergeProviders } from '../../../protocol/providers/merge.ts'
import type { ProviderRow } from '../../../protocol/providers/row.ts'
import { BUILT_IN_PROVIDERS, type ProviderTable, providerTable } from '../../../protocol/providers/table.ts'
import { type Ipv6Share, ipv6Shares } from './ipv6-share.ts'
import type { SourceLimits } from './modes.ts'
import { WarmupConfig } from '../../../protocol/warmup-config.ts'

/** The fleet as this actor needs it. */
export interface FleetView {
  readonly providers: ProviderTable
  readonly ips: ReadonlyMap<string, FleetIp>
  readonly pools: ReadonlyMap<string, readonly FleetIp[]>
  /** IPv6 addresses that share one /64's limits */
  readonly ipv6Shares: ReadonlyMap<string, Ipv6Share>
  /** pools that several tenants send from */
  readonly sharedPools: ReadonlySet<string>
  /** block lists our addresses are looked up in, and the resolvers that are asked */
  readonly zones: ReadonlyMap<string, DnsblConfig>
  readonly dns: readonly string[] | undefined
  /** `[preflight] off`: a lab, whose DNS is not asked about our own names */
  readonly preflightOff: boolean
  readonly warmup: WarmupConfig
  /** reputation groups that several rows share */
  readonly sharedGroups: ReadonlySet<string>
}

/** Without a fleet there is no source. `fleet.apply` refused what could fail here. */
export function fleetView(fleet: Pick<Fleet, 'pool' | 'ip' | 'isp' | 'warmup' | 'dnsbl' | 'network' | 'preflight'> | null): FleetView {
  const providers = providerTable(mergeProviders(BUILT_IN_PROVIDERS, fleet?.isp ?? []))
  const ips = fleet?.ip ?? []
  const groups = providers.rows.map((row) => row.reputation)
  return {
    providers,
    ips: new Map(ips.map((ip) => [ip.address, ip])),
    pools: Map.groupBy(ips, (ip) => ip.pool),
    ipv6Shares: ipv6Shares(ips),
    sharedPools: new Set((fleet?.pool ?? []).filter(({ tenants }) => tenants === undefined || tenants.length > 1).map(({ name }) => name)),
    zones: new Map(dnsblZones(fleet).map((row) => [row.zone, row])),
    dns: fleet?.network.dns,
    preflightOff: fleet?.preflight?.off ?? false,
    warmup: WarmupConfig.parse(fleet?.warmup ?? {}),
    sharedGroups: new Set(groups.filter((group, at) => groups.indexOf(group) !== at)),
  }
}

/** The row of a site, by its name alone: `google`, `barracuda/example.jp`; a name with a dot before any `/` is the tail's (protocol/site-name). */
export function rowOf(view: FleetView, site: string): ProviderRow {
  return view.providers.row(site.split('/', 1)[0] ?? site)
}

export function isTail(view: FleetView, site: string): boolean {
  return rowOf(view, site) === view.providers.tail
}

export function limitsOf(view: FleetView, row: ProviderRow): SourceLimits {
  const { start, factor, full, idle } = view.warmup
  return { sourceMs: row.rest.sourceMs, hourlyStart: row.hourlyStart, ramp: { start, factor, full }, idleMs: idle }
}
