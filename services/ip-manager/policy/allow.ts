import type { FleetIp } from '../../../protocol/fleet.ts'
import type { Allowance, AllowanceAsk } from '../../../protocol/messages/permission.ts'
import { type Manager, poolKey } from '../state.ts'
import { rowOf } from './fleet-view.ts'
import { partOf } from './ipv6-share.ts'
import { lending } from './lending.ts'
import { sourceOf } from './pairs.ts'
import { paceCapOf, poolRestOf, QUIET_POOL } from './pool.ts'

/** What the asking shard may lend: every IP of the asked pools at every asked site, also those that lend nothing, with their reason (S7). */
export function allow(manager: Manager, sites: AllowanceAsk['sites']): Allowance[] {
  return sites.flatMap(({ site, pools }) => pools.flatMap((pool) => (manager.fleet.pools.get(pool) ?? []).map((ip) => allowOne(manager, ip, site))))
}

function allowOne(manager: Manager, { address, pool: poolName }: FleetIp, site: string): Allowance {
  const row = rowOf(manager.fleet, site)
  const state = manager.ips.get(address)?.state
  const source = sourceOf(manager, address, site)
  const pool = manager.pools.get(poolKey(poolName, site)) ?? QUIET_POOL
  const around = {
    ipMode: state?.mode ?? 'serving',
    ipBecause: state?.because ?? null,
    ipUntil: state?.until ?? null,
    noPtr: manager.noPtr.has(address),
    poolRest: poolRestOf(pool, manager.now),
    paceCap: paceCapOf(pool, address),
  }
  const share = manager.fleet.ipv6Shares.get(address)
  const limits =
    share === undefined
      ? { sessions: row.sessionsPerIp.max, pacePerS: row.mailsPerSecond }
      : { sessions: partOf(row.sessionsPerIp.max, share), pacePerS: row.mailsPerSecond / share.of }
  const lent = lending(source, limits, around, manager.now)
  const budget = share === undefined || lent.budget === null ? lent.budget : Math.floor(lent.budget / share.of)
  return { ip: address, site, pool: poolName, mode: source.mode, ipMode: around.ipMode, ...lent, budget }
}
