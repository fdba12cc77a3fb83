import type { EpochMs } from '../../../protocol/words.ts'

/**
 * A dial is one number that a site bears from one source (sessions, or mails a second), found by trying:
 *   growing     doubles per clean round up to the limit, and stays there
 *   holding     was halved by a refusal; keeps still until `until`
 *   recovering  goes up by a tenth of the limit per clean round, then it is growing again; also how it begins after a rest
 */
export type DialMode = 'growing' | 'holding' | 'recovering'
export const DIAL_MAY_BECOME = {
  growing: ['holding', 'recovering'],
  holding: ['recovering'],
  recovering: ['holding', 'growing'],
} as const satisfies Record<DialMode, readonly DialMode[]>

export interface Dial {
  readonly mode: DialMode
  readonly value: number
  /** while holding */
  readonly until: EpochMs
  /** since when, and with how many deliveries, the round is clean */
  readonly roundAt: EpochMs
  readonly roundDone: number
}

export interface DialLimits {
  /** never below: one session, or the slowest pace that still is one */
  readonly least: number
  readonly most: number
}

/** A reply travels with the report (250 ms) and the sessions of before close within seconds: refusals this soon after a halving are its echo. */
export const ECHO_MS = 5_000
/** Long enough that the peer's own counter (usually a minute) has forgotten us. */
export const HOLD_MS = 60_000
/** A round is never shorter than a second: 250 ms reports would else double four times a second on two mails each. */
const GROW_ROUND_MS = 1_000
/** Gradual: from a half to the limit in a minute and a half of clean traffic. */
const RECOVER_ROUND_MS = 15_000

export function openDial(value: number, limits: DialLimits, now: EpochMs): Dial {
  return { mode: 'growing', value: within(value, limits), until: 0, roundAt: now, roundDone: 0 }
}

/** `echo`: the refusal belongs to a halving that has just been made. `spent`: already at the least, there is nothing left to halve. */
export type Refusal = { readonly kind: 'halved' | 'echo' | 'spent'; readonly dial: Dial }

/** The peer refused: half, and hold. */
export function refuse(dial: Dial, limits: DialLimits, now: EpochMs): Refusal {
  if (dial.mode === 'holding' && now < dial.until - HOLD_MS + ECHO_MS) return { kind: 'echo', dial }
  if (dial.value <= limits.least) return { kind: 'spent', dial: become({ ...dial, value: limits.least, until: now + HOLD_MS }, 'holding', now) }
  return { kind: 'halved', dial: become({ ...dial, value: within(dial.value / 2, limits), until: now + HOLD_MS }, 'holding', now) }
}

/** `done` mails went through and nothing was refused. */
export function praise(dial: Dial, done: number, limits: DialLimits, now: EpochMs): Dial {
  const here = { ...dial, value: within(dial.value, limits) }
  if (here.mode === 'holding') return now < here.until ? here : become(here, 'recovering', now)
  const roundDone = here.roundDone + done
  const roundMs = here.mode === 'growing' ? GROW_ROUND_MS : RECOVER_ROUND_MS
  // A round proves something only if the number was used: a mail per session, a second's worth of pace.
  if (now - here.roundAt < roundMs || roundDone < Math.min(here.value, limits.most)) return { ...here, roundDone }
  const next = { ...here, roundAt: now, roundDone: 0 }
  if (here.mode === 'growing') return { ...next, value: within(here.value * 2, limits) }
  const value = within(here.value + Math.max(limits.least, limits.most / 10), limits)
  return value >= limits.most ? become({ ...next, value }, 'growing', now) : { ...next, value }
}

/** For after a rest: from `value`, gradually. */
export function restart(dial: Dial, value: number, limits: DialLimits, now: EpochMs): Dial {
  return become({ ...dial, value: within(value, limits), until: 0 }, 'recovering', now)
}

/** The only writer of a dial's mode. Holding anew restarts the hold and is no change. */
function become(dial: Dial, mode: DialMode, now: EpochMs): Dial {
  if (dial.mode !== mode && !(DIAL_MAY_BECOME[dial.mode] as readonly DialMode[]).includes(mode)) {
    throw new Error(`a dial may not become ${mode} from ${dial.mode}`)
  }
  return { ...dial, mode, roundAt: now, roundDone: 0 }
}

function within(value: number, { least, most }: DialLimits): number {
  return Math.max(Math.min(least, most), Math.min(most, value))
}
