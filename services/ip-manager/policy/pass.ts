import type { EpochMs } from '../../../protocol/words.ts'
import type { Ip, Manager, Pair } from '../state.ts'
import { limitsOf, rowOf } from './fleet-view.ts'
import { forgetHolders } from './holders.ts'
import { pass as passSource } from './modes.ts'
import { forgetIps } from './pairs.ts'
import { passPool } from './pools.ts'
import type { Say } from './says.ts'
import { DRAIN_LOOK_MS, passOneIp, settlePair } from './settle.ts'
import { passShares } from './tenant-shares.ts'

/** What has no moment of its own (steps of recovering, days of a ramp, idle months) is looked at so often. */
const LOOK_MS = 60_000

/** Time alone: ends of rests and of quarantines, steps, probes. Cheap before `wakeAt`. */
export function pass(manager: Manager, to: EpochMs): Say[] {
  manager.now = to
  if (manager.now < manager.wakeAt) return []
  const says: Say[] = []
  manager.wakeAt = manager.now + LOOK_MS
  for (const ip of manager.ips.values()) {
    for (const pair of ip.pairs.values()) says.push(...passPair(manager, ip, pair))
    says.push(...passOneIp(manager, ip))
    wakeBy(manager, ip.state.mode === 'draining' ? manager.now + DRAIN_LOOK_MS : ip.state.mode === 'serving' ? null : ip.state.until)
  }
  for (const key of [...manager.pools.keys()]) {
    says.push(...passPool(manager, key))
    wakeBy(manager, manager.pools.get(key)?.rest?.until ?? null)
  }
  passShares(manager)
  forgetHolders(manager)
  forgetIps(manager)
  return says
}

function passPair(manager: Manager, ip: Ip, pair: Pair): Say[] {
  const { source } = pair
  // The end of a rest is its own moment, however late it is looked at: the same at every reading of the journal.
  const at = source.until === null ? manager.now : Math.min(manager.now, source.until)
  const says = settlePair(manager, ip, pair, passSource(source, limitsOf(manager.fleet, rowOf(manager.fleet, pair.site)), at))
  wakeBy(manager, pair.source.until)
  return says
}

function wakeBy(manager: Manager, at: EpochMs | null): void {
  if (at !== null && at > manager.now) manager.wakeAt = Math.min(manager.wakeAt, at)
}
