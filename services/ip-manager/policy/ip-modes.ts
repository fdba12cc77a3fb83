import type { EpochMs, IpMode } from '../../../protocol/words.ts'

/**
 * An IP as a whole is always in exactly one mode (delivery.md §7):
 *   serving      lends wherever its (IP × site) does
 *   draining     lends nothing new; waits for its leases to end
 *   drained      no lease is left: its machine may go
 *   quarantined  lends nothing anywhere, by a person, by three sites that block it, or by a listing on a zone marked so
 */
export const IP_MAY_BECOME = {
  serving: ['draining', 'quarantined'],
  draining: ['drained', 'serving', 'quarantined'],
  drained: ['serving', 'quarantined'],
  quarantined: ['serving', 'draining'],
} as const satisfies Record<IpMode, readonly IpMode[]>

export interface IpState {
  readonly mode: IpMode
  readonly because: string | null
  /** quarantined or drained for a time: back to serving then; null = until a person says so */
  readonly until: EpochMs | null
  readonly since: EpochMs
}

export interface IpStep {
  readonly ip: IpState
  readonly change: { readonly from: IpMode; readonly to: IpMode; readonly because: string; readonly until: EpochMs | null; readonly at: EpochMs } | null
}

/** Blocked at so many sites at once it is the address, not the sites. */
const BLOCKED_SITES = 3

export function newIp(now: EpochMs): IpState {
  return { mode: 'serving', because: null, until: null, since: now }
}

/** The only writer of an IP's mode; throws on a transition that the table does not name. */
export function becomeIp(ip: IpState, mode: IpMode, because: string, until: EpochMs | null, now: EpochMs): IpStep {
  if (!(IP_MAY_BECOME[ip.mode] as readonly IpMode[]).includes(mode)) throw new Error(`an IP may not become ${mode} from ${ip.mode} (${because})`)
  return { ip: { mode, because, until, since: now }, change: { from: ip.mode, to: mode, because, until, at: now } }
}

/** `ip.control`: what it is already, it stays, with the new reason and end. */
export function obey(ip: IpState, action: 'quarantine' | 'release' | 'drain', because: string, forMs: number | null, now: EpochMs): IpStep {
  const until = forMs === null ? null : now + forMs
  switch (action) {
    case 'quarantine':
      return ip.mode === 'quarantined' ? same({ ...ip, because, until }) : becomeIp(ip, 'quarantined', because, until, now)
    case 'release':
      return ip.mode === 'serving' ? same(ip) : becomeIp(ip, 'serving', because, null, now)
    case 'drain':
      return ip.mode === 'draining' || ip.mode === 'drained' ? same({ ...ip, because, until }) : becomeIp(ip, 'draining', because, until, now)
  }
}

/** What the rest of the world brings: sites that block it, leases that ended, time. */
export function passIp(ip: IpState, seen: { readonly blockedSites: number; readonly leases: number; readonly listedOn: string | null }, now: EpochMs): IpStep {
  if (ip.mode !== 'quarantined' && seen.listedOn !== null) return becomeIp(ip, 'quarantined', `listed on ${seen.listedOn}`, null, now)
  if (ip.mode !== 'quarantined' && seen.blockedSites >= BLOCKED_SITES) return becomeIp(ip, 'quarantined', `blocked at ${seen.blockedSites} sites`, null, now)
  if (ip.mode !== 'serving' && ip.until !== null && now >= ip.until) return becomeIp(ip, 'serving', `${ip.mode} until now`, null, now)
  if (ip.mode === 'draining' && seen.leases === 0) return becomeIp(ip, 'drained', 'no lease left', ip.until, now)
  return same(ip)
}

function same(ip: IpState): IpStep {
  return { ip, change: null }
}
