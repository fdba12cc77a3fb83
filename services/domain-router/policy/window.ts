import type { LeaseReport } from '../../../protocol/messages/permission.ts'
import type { ProviderRow } from '../../../protocol/providers/row.ts'
import type { EpochMs, ReplyClass } from '../../../protocol/words.ts'
import { type Dial, type DialLimits, ECHO_MS, openDial, praise, refuse, restart } from './dial.ts'

/** What a router believes one (IP × site) will bear (design §6, "Window"). Plain data: it is saved with the shard's memory. */
export interface Window {
  readonly sessions: Dial
  /** mails a second */
  readonly pace: Dial
  /** lends nothing until then */
  readonly rest: Rest | null
  /** rests within 24 h of each other so far, and when the last began */
  readonly returns: number
  readonly restedAt: EpochMs
  /** connects failed, or answers "busy", in a row without a success */
  readonly failed: number
}
export interface Rest {
  readonly because: ReplyClass
  readonly until: EpochMs
}

export type WindowLimits = Pick<ProviderRow, 'sessionsPerIp' | 'mailsPerSecond' | 'rest'>
export type Told = Pick<LeaseReport, 'delivered' | 'classes' | 'rest'>

const DAY_MS = 86_400_000
/** A mail a minute: below it a site is rested, not slowed. */
const LEAST_PACE = 1 / 60
/** Classes that say nobody is at home; in a row they rest the pair (KumoMTA: five failed connects). */
const FAILED: readonly ReplyClass[] = ['unreachable', 'bad-greeting', 'tls', 'site-busy']

export function openWindow(limits: WindowLimits, now: EpochMs): Window {
  return {
    sessions: openDial(limits.sessionsPerIp.start, ofSessions(limits), now),
    // Pace begins at the row's: it is a published number or a guess on the safe side, and the ramp holds new IPs below it.
    pace: openDial(limits.mailsPerSecond, ofPace(limits), now),
    rest: null,
    returns: 0,
    restedAt: 0,
    failed: 0,
  }
}

/** What a report teaches. `rest` is the rest that begins or grows with it, null otherwise. */
export function hear(window: Window, told: Told, limits: WindowLimits, now: EpochMs): { readonly window: Window; readonly rest: Rest | null } {
  if (restOf(window, now)) return longerRest(window, told, now)
  const awake = window.rest === null ? window : clearRest(window, now)
  const count = (replyClass: ReplyClass) => told.classes[replyClass] ?? 0

  const crowded = count('too-many-connections') > 0 ? refuse(awake.sessions, ofSessions(limits), now) : null
  const rated = count('rate') > 0 ? refuse(awake.pace, ofPace(limits), now) : null
  const failedNow = FAILED.reduce((sum, replyClass) => sum + count(replyClass), 0)
  const heard: Window = {
    ...awake,
    sessions: crowded?.dial ?? praise(awake.sessions, told.delivered, ofSessions(limits), now),
    pace: rated?.dial ?? praise(awake.pace, told.delivered, ofPace(limits), now),
    failed: told.delivered > 0 ? 0 : awake.failed + failedNow,
  }
  // A site that refuses everybody alike named no time: its row's own is taken.
  if (told.rest !== null) return beginRest(heard, told.rest.because, told.rest.whole ? limits.rest.busyMs : told.rest.ms, limits, now)
  if (crowded?.kind === 'spent') return beginRest(heard, 'too-many-connections', limits.rest.busyMs, limits, now)
  if (rated?.kind === 'spent') return beginRest(heard, 'rate', limits.rest.busyMs, limits, now)
  if (heard.failed >= limits.rest.failedConnects) {
    const because = FAILED.find((replyClass) => count(replyClass) > 0) ?? 'unreachable'
    return beginRest(heard, because, limits.rest.busyMs, limits, now)
  }
  return { window: heard, rest: null }
}

/** Refusals, rests and large windows took time and a receiver's patience to find out; a window that only began to grow did not. */
export function isLearnt({ sessions, pace, rest, returns }: Window, limits: WindowLimits): boolean {
  return rest !== null || returns > 0 || sessions.mode !== 'growing' || pace.mode !== 'growing' || sessions.value > limits.sessionsPerIp.start * FAR_GROWN
}
/** two clean rounds */
const FAR_GROWN = 4

/** Does the memory differ, and must it be kept soon? What holds us back must; growth may be lost with its owner. */
export function newsOf(before: Window, after: Window): 'none' | 'growth' | 'restraint' {
  if (before.rest !== after.rest || before.returns !== after.returns) return 'restraint'
  const dials = [[before.sessions, after.sessions] as const, [before.pace, after.pace] as const]
  if (dials.some(([was, is]) => was.mode !== is.mode || is.value < was.value)) return 'restraint'
  return dials.some(([was, is]) => is.value > was.value) ? 'growth' : 'none'
}

/** Sessions that may be open now, over all senders. */
export function sessionsAllowed(window: Window, now: EpochMs): number {
  return restOf(window, now) ? 0 : Math.floor(window.sessions.value)
}

/** Mails a second now, over all senders. */
export function paceAllowed(window: Window, now: EpochMs): number {
  return restOf(window, now) ? 0 : window.pace.value
}

/** The rest is over, because its time is or because a person said so; recovery begins with a round from now. */
export function clearRest(window: Window, now: EpochMs): Window {
  return { ...window, rest: null, sessions: { ...window.sessions, roundAt: now, roundDone: 0 }, pace: { ...window.pace, roundAt: now, roundDone: 0 } }
}

export function restOf(window: Window, now: EpochMs): Rest | null {
  return window.rest !== null && window.rest.until > now ? window.rest : null
}

/** The window is set at once to what it begins with afterwards: one session, a quarter of the pace. */
function beginRest(window: Window, because: ReplyClass, ms: number, limits: WindowLimits, now: EpochMs): { readonly window: Window; readonly rest: Rest } {
  const returns = now - window.restedAt <= DAY_MS ? window.returns + 1 : 0
  // 2 ** 30 seconds are 34 years: the cap cuts long before the number loses its meaning.
  const rest = { because, until: now + Math.min(DAY_MS, ms * 2 ** Math.min(30, returns)) }
  const sessions = restart(window.sessions, 1, ofSessions(limits), now)
  const pace = restart(window.pace, limits.mailsPerSecond / 4, ofPace(limits), now)
  return { window: { ...window, sessions, pace, rest, returns, restedAt: now, failed: 0 }, rest }
}

/** While it rests, what is still on its way is heard: it may lengthen the rest, but is no return. */
function longerRest(window: Window, told: Told, now: EpochMs): { readonly window: Window; readonly rest: Rest | null } {
  const { rest } = window
  if (rest === null || told.rest === null || now - window.restedAt < ECHO_MS) return { window, rest: null }
  const until = Math.min(now + DAY_MS, now + told.rest.ms)
  if (until <= rest.until) return { window, rest: null }
  const longer = { because: told.rest.because, until }
  return { window: { ...window, rest: longer }, rest: longer }
}

function ofSessions(limits: WindowLimits): DialLimits {
  return { least: 1, most: limits.sessionsPerIp.max }
}

function ofPace(limits: WindowLimits): DialLimits {
  return { least: Math.min(LEAST_PACE, limits.mailsPerSecond), most: limits.mailsPerSecond }
}
