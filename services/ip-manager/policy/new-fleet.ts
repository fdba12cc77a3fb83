import type { EpochMs } from '../../../protocol/words.ts'
import type { Manager } from '../state.ts'
import type { FleetView } from './fleet-view.ts'
import { ipOf } from './pairs.ts'
import { leavePools } from './pools.ts'
import type { Say } from './says.ts'

/** Another fleet document is in force: its IPs are taken in, those it dropped stop lending at once. */
export function newFleet(manager: Manager, fleet: FleetView, now: EpochMs): Say[] {
  manager.now = now
  const before = manager.fleet
  manager.fleet = fleet
  manager.halvedTimes++
  for (const address of manager.noPtr.keys()) if (!fleet.ips.has(address) || fleet.preflightOff) manager.noPtr.delete(address)
  const says: Say[] = []
  for (const address of before.ips.keys()) {
    if (!fleet.ips.has(address)) says.push({ say: 'changed', ip: address, site: null, lends: false, because: 'not in the fleet', until: null })
  }
  for (const address of fleet.ips.keys()) {
    const ip = ipOf(manager, address)
    if (ip === null || before.ips.has(address)) continue
    ip.namedAt = manager.now
    if (ip.state.mode === 'serving') says.push({ say: 'changed', ip: address, site: null, lends: true, because: 'in the fleet', until: null })
  }
  for (const zone of manager.zones.keys()) if (!fleet.zones.has(zone)) manager.zones.delete(zone)
  leavePools(manager)
  return says
}
