import type { MonoMs } from '../../../protocol/words.ts'
import { type HeldLease, NOTHING, type Numbers } from '../held-lease.ts'
import type { Pair, Shard, Site } from '../state.ts'
import { LINGER_MS } from './numbers.ts'

/** A report is repeated within a second. */
const REPORT_FRESH_MS = 1_000

/** What a lease must be counted as now (S4): the largest of all that may be in force at its sender, lingering sessions included. */
export function counted(lease: HeldLease, mono: MonoMs): Numbers {
  let standing = mono < lease.mustEnd ? lease.numbers : NOTHING
  for (const before of lease.before) if (before.until > mono) standing = largest(standing, before)
  const sessions = Math.max(standing.sessions, there(lease, mono))
  return { ...standing, sessions }
}

export function largest(a: Numbers, b: Numbers): Numbers {
  return {
    sessions: Math.max(a.sessions, b.sessions),
    pacePerS: Math.max(a.pacePerS, b.pacePerS),
    perAddress: Math.max(a.perAddress, b.perAddress),
    connectsPerMinute: Math.max(a.connectsPerMinute, b.connectsPerMinute),
  }
}

/**
 * Sessions that its sender may still have. Of a lease that ran out in silence nothing is left: its sender is dead, or has closed what it could. One that was
 * let go of may have sessions whose dot waits for its reply.
 */
function there({ mustEnd, reportedAt, mode, open, lingering }: HeldLease, mono: MonoMs): number {
  if (mono < mustEnd || mono - reportedAt < REPORT_FRESH_MS) return open + lingering
  return mode === 'ending' && mono - reportedAt < LINGER_MS ? lingering : 0
}

/** Nothing of it can be left at its sender. */
export function mustBeGone(lease: HeldLease, mono: MonoMs): boolean {
  return mono >= lease.mustEnd && lease.pending === null && counted(lease, mono).sessions === 0
}

/** What all leases of a pair hold together, one of them left out. */
export function countedOfPair(pair: Pair, mono: MonoMs, except?: HeldLease): Numbers {
  let sum = NOTHING
  for (const lease of pair.leases) {
    if (lease === except) continue
    const numbers = counted(lease, mono)
    sum = {
      sessions: sum.sessions + numbers.sessions,
      pacePerS: sum.pacePerS + numbers.pacePerS,
      perAddress: sum.perAddress + numbers.perAddress,
      connectsPerMinute: sum.connectsPerMinute + numbers.connectsPerMinute,
    }
  }
  return sum
}

export function paceOfSite(site: Site, mono: MonoMs, except?: HeldLease): number {
  let pacePerS = 0
  for (const pair of site.pairs.values()) pacePerS += countedOfPair(pair, mono, except).pacePerS
  return pacePerS
}

export function sessionsOfIp(shard: Shard, ip: string, mono: MonoMs): number {
  let sessions = 0
  for (const lease of shard.leases.values()) if (lease.ip === ip) sessions += counted(lease, mono).sessions
  return sessions
}
