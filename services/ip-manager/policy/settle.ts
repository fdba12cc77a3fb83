import type { SourceMode } from '../../../protocol/words.ts'
import { type Ip, type Manager, type Pair, poolKey } from '../state.ts'
import { rowOf } from './fleet-view.ts'
import { countLeases } from './holders.ts'
import { type IpStep, passIp } from './ip-modes.ts'
import { quarantiningZone } from './listings.ts'
import { rateOf } from './lately.ts'
import type { Step } from './modes.ts'
import { poolLends, poolRestOf, poolStopped, QUIET_POOL } from './pool.ts'
import type { Say } from './says.ts'

export function lendsIn(mode: SourceMode): boolean {
  return mode !== 'cooling' && mode !== 'blocked'
}

/** The one place where a pair takes its new standing: what follows for its pool and its IP, and what must be said. */
export function settlePair(manager: Manager, ip: Ip, pair: Pair, { source, change }: Step, reply: string | null = null): Say[] {
  if (source === pair.source) return []
  pair.source = source
  manager.changed = true
  if (source.until !== null) manager.wakeAt = Math.min(manager.wakeAt, source.until)
  if (change === null) return []

  const says: Say[] = [{ say: 'mode', ip: ip.address, site: pair.site, reply, ...change }]
  const lends = lendsIn(change.to)
  if (lends !== lendsIn(change.from)) {
    const rests = notePool(manager, ip.address, pair.site, lends)
    if (ip.state.mode === 'serving' && !(lends && rests)) {
      says.push({ say: 'changed', ip: ip.address, site: pair.site, lends, because: change.because, until: change.until })
    }
  }
  return change.to === 'blocked' ? [...says, ...passOneIp(manager, ip)] : says
}

export function settleIp(manager: Manager, ip: Ip, { ip: state, change }: IpStep): Say[] {
  if (state === ip.state) return []
  ip.state = state
  manager.changed = true
  if (state.until !== null) manager.wakeAt = Math.min(manager.wakeAt, state.until)
  if (state.mode === 'draining') manager.wakeAt = Math.min(manager.wakeAt, manager.now + DRAIN_LOOK_MS)
  if (change === null) return []
  const says: Say[] = [{ say: 'mode', ip: ip.address, site: null, reply: null, ...change }]
  if ((change.to === 'serving') === (change.from === 'serving')) return says
  return [...says, { say: 'changed', ip: ip.address, site: null, lends: change.to === 'serving', because: change.because, until: change.until }]
}

/** How often a draining IP is looked at: routers tell their leases once a second. */
export const DRAIN_LOOK_MS = 1_000

/** What sites, leases and time bring to an IP. */
export function passOneIp(manager: Manager, ip: Ip): Say[] {
  let blockedSites = 0
  for (const { source } of ip.pairs.values()) if (source.mode === 'blocked') blockedSites++
  // Where it cannot be known that no lease is left, one is.
  const leases = ip.state.mode === 'draining' ? (countLeases(manager, ip.address, ip.state.since) ?? 1) : 0
  return settleIp(manager, ip, passIp(ip.state, { blockedSites, leases, listedOn: quarantiningZone(manager, ip.address) }, manager.now))
}

/** Tells the pool at that site that one of its IPs stopped or lends again; true: the pool rests there anyway. */
function notePool(manager: Manager, address: string, site: string, lends: boolean): boolean {
  const name = manager.fleet.ips.get(address)?.pool
  if (name === undefined) return false
  const key = poolKey(name, site)
  const pool = manager.pools.get(key) ?? QUIET_POOL
  manager.pools.set(key, lends ? poolLends(pool, address) : poolStopped(pool, address, sharesOf(manager, name, site)))
  return poolRestOf(pool, manager.now) !== null
}

/** So many mails in the last minute tell who carries which share. */
const TELLING_MAILS = 20

/** Mails a second that each IP of the pool carries there. Where too few were sent to tell, each has its equal part of what one IP may. */
function sharesOf(manager: Manager, pool: string, site: string): Record<string, number> {
  const ips = manager.fleet.pools.get(pool) ?? []
  const rates = ips.map(({ address }) => ({ address, ...rateOf(manager.ips.get(address)?.pairs.get(site)?.recent ?? [], manager.now) }))
  const telling = rates.reduce((sum, { mails }) => sum + mails, 0) >= TELLING_MAILS
  const equal = rowOf(manager.fleet, site).mailsPerSecond / ips.length
  return Object.fromEntries(rates.map(({ address, perS }) => [address, telling ? perS : equal]))
}
