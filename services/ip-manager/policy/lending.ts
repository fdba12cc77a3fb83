import type { EpochMs, IpMode } from '../../../protocol/words.ts'
import type { Source } from './modes.ts'
import { rampLeft, rampRoomAt } from './ramp.ts'

/** What one IP may do at one site now (the numbers of an `Allowance`). */
export interface Lending {
  readonly lends: boolean
  readonly sessions: number
  readonly pacePerS: number
  /** transactions left; null = no ramp */
  readonly budget: number | null
  readonly because: string
  readonly until: EpochMs | null
}

export interface LendingLimits {
  readonly sessions: number
  readonly pacePerS: number
}

/** What holds it beside its own mode; the first that applies is told. */
export interface Around {
  readonly ipMode: IpMode
  readonly ipBecause: string | null
  readonly ipUntil: EpochMs | null
  /** the whole pool rests at this site (pool.ts) */
  readonly poolRest: { readonly because: string; readonly until: EpochMs } | null
  /** an IPv6 address without a PTR that resolves back */
  readonly noPtr: boolean
  /** the share it had when another IP of the pool stopped lending here (pool.ts); null = free */
  readonly paceCap: number | null
}

/** Steps of recovering, as a share of sessions and pace; the first is one session. */
const SHARE_OF_STEP = [0.25, 0.25, 0.5, 1] as const
/** A probe and the first minutes after a block: a mail a minute tells as much as a thousand. */
const PROBE_PACE = 1 / 60

export function lending(source: Source, limits: LendingLimits, around: Around, now: EpochMs): Lending {
  if (around.ipMode !== 'serving') return nothing(around.ipBecause ?? around.ipMode, around.ipUntil)
  if (around.noPtr) return nothing('ipv6-no-ptr', null)
  if (source.mode === 'cooling' || source.mode === 'blocked') return nothing(source.because ?? source.mode, source.until)
  if (around.poolRest !== null && around.poolRest.until > now) return nothing(around.poolRest.because, around.poolRest.until)

  if (limits.sessions < 1) return nothing('ipv6-64', null)
  const own = ownShare(source, limits)
  const pacePerS = around.paceCap === null ? own.pacePerS : Math.min(own.pacePerS, around.paceCap)
  const budget = source.ramp === null ? null : rampLeft(source.ramp, now)
  if (budget === 0 && source.ramp !== null) return { ...nothing('ramp', rampRoomAt(source.ramp, now)), budget: 0 }
  return { lends: true, sessions: own.sessions, pacePerS, budget, because: own.because, until: null }
}

function ownShare(source: Source, limits: LendingLimits): { readonly sessions: number; readonly pacePerS: number; readonly because: string } {
  if (source.mode !== 'recovering') return { ...limits, because: source.mode }
  if (source.probing) return { sessions: 1, pacePerS: Math.min(PROBE_PACE, limits.pacePerS), because: 'probing' }
  const share = SHARE_OF_STEP[source.step] ?? 1
  const sessions = source.step === 0 ? 1 : Math.max(1, Math.floor(limits.sessions * share))
  return {
    sessions: Math.min(sessions, limits.sessions),
    pacePerS: limits.pacePerS * share,
    because: `recovering, step ${source.step + 1} of ${SHARE_OF_STEP.length}`,
  }
}

function nothing(because: string, until: EpochMs | null): Lending {
  return { lends: false, sessions: 0, pacePerS: 0, budget: null, because, until }
}
