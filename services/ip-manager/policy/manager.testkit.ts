import { Fleet } from '../../../protocol/fleet.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import { type Manager, newManager } from '../state.ts'
import { fleetView } from './fleet-view.ts'
import { newFleet } from './new-fleet.ts'
import { observe, type Seen } from './observe.ts'
import type { Say } from './says.ts'

export const NOW: EpochMs = Date.UTC(2026, 10, 24, 9)
export const HOUR_MS = 3_600_000
export const MINUTE_MS = 60_000

/** `ips`: address → more of its row. */
export function fleetOf(ips: Readonly<Record<string, object>>, more: object = {}): Fleet {
  const rows = Object.entries(ips).map(([address, row]) => ({ address, pool: 'main', ehlo: 'mx.hato.example', ...row }))
  return Fleet.parse({ pool: [...new Set(['main', ...rows.map(({ pool }) => pool)])].map((name) => ({ name })), ip: rows, ...more })
}

export function managerOf(fleet: Fleet, pairsMost = 20_000): Manager {
  const manager = newManager(fleetView(null), pairsMost)
  newFleet(manager, fleetView(fleet), NOW)
  manager.hearingSince = NOW
  return manager
}

export const delivered = (ip: string, site: string): Seen => ({
  ip,
  site,
  outcome: 'delivered',
  class: 'delivered',
  blames: 'nobody',
  stage: 'dot',
  reply: '250 ok',
  rule: null,
})
export const blamed = (ip: string, site: string, more: Partial<Seen> = {}): Seen => ({
  ip,
  site,
  outcome: 'deferred',
  class: 'reputation',
  blames: 'source',
  stage: 'mail',
  reply: '421 4.7.0 unloved',
  rule: null,
  ...more,
})
export const listed = (ip: string, site: string): Seen => blamed(ip, site, { class: 'blocked', reply: '550 5.7.1 listed' })

/** One chunk behind the last. */
export function see(manager: Manager, seen: readonly Seen[], at: EpochMs = manager.now, tenant = 'acme'): Say[] {
  return observe(manager, { seq: manager.position + 1, at, tenant, seen })
}

export const modesIn = (says: readonly Say[]) =>
  says.flatMap((say) => (say.say === 'mode' ? [`${say.ip}${say.site === null ? '' : ` ${say.site}`} ${say.from} → ${say.to}`] : []))
export const changesIn = (says: readonly Say[]) =>
  says.flatMap((say) => (say.say === 'changed' ? [`${say.ip} ${say.site ?? '*'} ${say.lends ? 'lends' : 'stops'}`] : []))
