import type { EpochMs } from '../../../protocol/words.ts'
import type { Manager } from '../state.ts'
import { hearRound, type Round, UNKNOWN_ZONE } from './dnsbl.ts'
import { ipOf } from './pairs.ts'
import type { Say } from './says.ts'
import { passOneIp } from './settle.ts'

/** What a look at a zone changes: who is listed now, who no longer, and quarantine where the zone is marked so. */
export function hearZone(manager: Manager, zone: string, round: Round, now: EpochMs): Say[] {
  const row = manager.fleet.zones.get(zone)
  if (row === undefined) return []
  manager.now = now
  const before = manager.zones.get(zone) ?? UNKNOWN_ZONE
  const { view, added, gone } = hearRound(before, row, round, now)
  manager.zones.set(zone, view)
  manager.changed = true
  const says: Say[] = []
  if (view.disbelieved !== before.disbelieved) says.push({ say: 'zone', zone, disbelieved: view.disbelieved })
  for (const { address, code } of added) says.push({ say: 'listing', zone, ip: address, listed: true, code, quarantines: row.quarantine })
  for (const address of gone) says.push({ say: 'listing', zone, ip: address, listed: false, code: null, quarantines: row.quarantine })
  for (const { address } of added) {
    const ip = ipOf(manager, address)
    if (ip !== null) says.push(...passOneIp(manager, ip))
  }
  return says
}
