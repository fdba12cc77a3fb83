import type { TenantShares } from '../../../protocol/messages/permission.ts'
import { type Manager, poolKey } from '../state.ts'
import { rowOf } from './fleet-view.ts'

/**
 * Who dirties a shared pool pays before the others do (delivery.md §7): each source-blame that a tenant's recipients caused halves that tenant's share
 * of the pool at that site. The scheduler obeys: it is the tenant's mail that must come slower, and only the scheduler knows whose mail is next. Plain data.
 */

const DAY_MS = 86_400_000
/** 1/64: as good as nothing, and still a probe that can prove itself. */
const HALVINGS_MOST = 6
/** S8: shares kept by name; who was blamed longest ago goes first. */
const KEPT_MOST = 1_000

/** Called for a blame that stopped the source: replies that only count so far, and what is on its way when it stops, say nothing new. */
export function halve(manager: Manager, address: string, site: string, tenant: string, because: string): void {
  const pool = manager.fleet.ips.get(address)?.pool
  if (pool === undefined || tenant === '' || !manager.fleet.sharedPools.has(pool)) return
  const key = shareKey(pool, site, tenant)
  const before = manager.halved.get(key)?.halvings ?? 0
  manager.halved.delete(key) // so that it stands last
  manager.halved.set(key, { halvings: Math.min(HALVINGS_MOST, before + 1), at: manager.now, because })
  for (const oldest of manager.halved.keys()) {
    if (manager.halved.size <= KEPT_MOST) break
    manager.halved.delete(oldest)
  }
  manager.changed = true
  manager.halvedTimes++
  manager.wakeAt = Math.min(manager.wakeAt, manager.now + DAY_MS)
}

/** A day without blame doubles a share; at the whole it is forgotten. */
export function passShares(manager: Manager): void {
  for (const [key, halved] of manager.halved) {
    const days = Math.floor((manager.now - halved.at) / DAY_MS)
    if (days < 1) continue
    const halvings = halved.halvings - days
    if (halvings < 1) manager.halved.delete(key)
    else manager.halved.set(key, { ...halved, halvings, at: halved.at + days * DAY_MS })
    manager.changed = true
    manager.halvedTimes++
  }
}

/** What the scheduler is told: the part of its weight that a tenant keeps, and the pace that is the same part of what the pool may do there. */
export function tenantShares(manager: Manager): TenantShares {
  return {
    v: 1,
    shares: [...manager.halved].flatMap(([key, { halvings, at, because }]) => {
      const [pool, site, tenant] = readKey(key)
      const ips = manager.fleet.pools.get(pool)?.length ?? 0
      if (ips === 0 || !manager.fleet.sharedPools.has(pool)) return []
      const share = 2 ** -halvings
      return [{ pool, site, tenant, share, perS: share * ips * rowOf(manager.fleet, site).mailsPerSecond, because, until: at + DAY_MS }]
    }),
  }
}

/** By tenant, of one pool at one site. */
export function sharesAt(manager: Manager, pool: string, site: string): Record<string, number> {
  const prefix = `${poolKey(pool, site)} `
  return Object.fromEntries([...manager.halved].flatMap(([key, { halvings }]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), 2 ** -halvings]] : [])))
}

/** Pools, sites and tenants have no spaces. */
function shareKey(pool: string, site: string, tenant: string): string {
  return `${poolKey(pool, site)} ${tenant}`
}
function readKey(key: string): [pool: string, site: string, tenant: string] {
  return key.split(' ') as [string, string, string]
}
