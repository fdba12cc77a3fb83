import type { EpochMs } from '../../../protocol/words.ts'
import type { Ip, Manager } from '../state.ts'
import { obey } from './ip-modes.ts'
import { release } from './modes.ts'
import { releaseListings } from './listings.ts'
import type { Say } from './says.ts'
import { settleIp, settlePair } from './settle.ts'

export interface Order {
  readonly action: 'quarantine' | 'release' | 'drain'
  readonly because: string
  readonly forMs: number | null
}

/** What a person orders for an IP. A release is also the word that sites which blocked it, or made it cool, wait for. */
export function control(manager: Manager, ip: Ip, { action, because, forMs }: Order, now: EpochMs): Say[] {
  manager.now = now
  if (action === 'release') releaseListings(manager, ip)
  const released =
    action === 'release' ? [...ip.pairs.values()].flatMap((pair) => settlePair(manager, ip, pair, release(pair.source, because, manager.now))) : []
  return [...released, ...settleIp(manager, ip, obey(ip.state, action, because, forMs, manager.now))]
}
