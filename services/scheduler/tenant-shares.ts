import { KEYS } from '../../protocol/buckets.ts'
import type { TenantShare, TenantShares } from '../../protocol/messages/permission.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { openBucket } from '../runtime/kv.ts'

export interface SharesWatch extends Disposable {
  /** null = the whole share */
  of(tenant: string, pool: string, site: string): TenantShare | null
  /** what stood there when the term began has been read: nothing is released as if nobody were blamed */
  readonly ready: Promise<void>
}

/** What the ip-manager says of tenants that brought blame on a shared pool (delivery.md §7). */
export function watchTenantShares(bus: Bus, onChange: () => void): SharesWatch {
  let shares: ReadonlyMap<string, TenantShare> = new Map()
  const watch = openBucket(bus, 'reputation').watch(KEYS.tenantShares, ({ value }) => {
    const told = value === null ? [] : (JSON.parse(new TextDecoder().decode(value)) as TenantShares).shares
    shares = new Map(told.map((one) => [keyOf(one.tenant, one.pool, one.site), one]))
    onChange()
  })
  return {
    // Asked for every candidate of every release, and nearly always nobody is blamed.
    of: (tenant, pool, site) => (shares.size === 0 ? null : (shares.get(keyOf(tenant, pool, site)) ?? null)),
    ready: watch.caughtUp,
    [Symbol.dispose]: () => watch.close(),
  }
}

const keyOf = (...parts: readonly string[]): string => parts.join(' ')
