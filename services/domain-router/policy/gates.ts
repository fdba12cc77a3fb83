import type { EpochMs } from '../../../protocol/words.ts'
import type { Moment, Pair, Shard, Site, Unsure } from '../state.ts'
import { actionsOn } from './action-list.ts'
import { countedOfPair, paceOfSite } from './count.ts'
import { SOON_MS, UNKNOWN_REST_MS } from './numbers.ts'
import { paceAllowed, restOf, sessionsAllowed } from './window.ts'

/** May this source lend at this site, and how much over all senders; or until when not, and why (style 7, S7). */
export type Gate = { readonly kind: 'go'; readonly sessions: number; readonly pacePerS: number; readonly budget: number | null } | Wait
export interface Wait {
  readonly kind: 'wait'
  readonly because: string
  readonly until: EpochMs
}

/** The ip-manager counts outcomes up to so late; what started within it is not in its budget yet. */
const BUDGET_LAG_MS = 2_500

/** All reasons are asked; the one that lasts longest is told. */
export function pairGate(shard: Shard, site: Site, pair: Pair, at: Moment): Gate {
  const { row, sessionsPerIp } = limitsAt(shard, site, at)
  const reasons = [siteWait(shard, site, at), restOf(pair.window, at.now), allowanceWait(pair, at), unsureWait(shard, pair, at)]
  let longest: Wait | null = null
  for (const reason of reasons) {
    if (reason === null || (longest !== null && longest.until >= reason.until)) continue
    longest = { kind: 'wait', because: reason.because, until: reason.until }
  }
  if (longest !== null) return longest
  const allowance = pair.allowance as NonNullable<Pair['allowance']> // without one allowanceWait had a reason
  return {
    kind: 'go',
    sessions: Math.floor(Math.min(sessionsAllowed(pair.window, at.now), allowance.sessions, row.sessionsPerIp.max, sessionsPerIp)),
    pacePerS: Math.min(paceAllowed(pair.window, at.now), allowance.pacePerS, row.mailsPerSecond),
    budget: budgetOf(pair),
  }
}

/**
 * The same as people and the scheduler are told it. A source is asked about only while mail waits here for it; what rests for long waits in the stream,
 * and its reason is the last word of the ip-manager as long as that word was to last.
 */
export function gateToTell(shard: Shard, site: Site, pair: Pair, at: Moment): Gate {
  const gate = pairGate(shard, site, pair, at)
  const last = pair.allowance
  if (gate.kind === 'go' || gate.because !== 'no-allowance' || last === null || last.lends || (last.until ?? 0) <= gate.until) return gate
  return { kind: 'wait', because: last.because || 'not-lending', until: last.until as EpochMs }
}

/** What holds the whole site: a person, a rest of every source, our own uncertainty. */
export function siteWait(shard: Shard, site: Site, at: Moment): Wait | null {
  const paused = actionsOn(shard, site.site, at.now).find(({ action }) => action === 'pause')
  if (paused) return { kind: 'wait', because: 'paused', until: paused.until }
  if (site.rest && site.rest.until > at.now) return { kind: 'wait', ...site.rest }
  if (shard.adopting !== null) return { kind: 'wait', because: 'adopting', until: at.now + Math.max(1, shard.adopting.until - at.mono) }
  return null
}

/** The row of the site and the tightest limit a person set. */
export function limitsAt(shard: Shard, site: Site, at: Moment) {
  const limits = actionsOn(shard, site.site, at.now).filter(({ action }) => action === 'limit')
  return {
    row: shard.network.providers.row(site.provider),
    /** over one IP */
    sessionsPerIp: Math.min(...limits.map((limit) => limit.sessionsPerIp ?? Number.POSITIVE_INFINITY)),
    /** mails a second over the site */
    rate: Math.min(...limits.map((limit) => limit.rate ?? Number.POSITIVE_INFINITY)),
  }
}

function allowanceWait(pair: Pair, at: Moment): Omit<Wait, 'kind'> | null {
  const { allowance } = pair
  if (allowance === null || at.mono >= pair.allowanceUntil) return { because: 'no-allowance', until: at.now + SOON_MS }
  if (!allowance.lends || allowance.sessions < 1) return { because: allowance.because || 'not-lending', until: endOf(allowance.until, at) }
  const budget = budgetOf(pair)
  if (budget !== null && budget < 1) return { because: allowance.because || 'ramp', until: endOf(allowance.until, at) }
  return null
}

/** Without an end: ask again in a while. An end that is past has come, and the ip-manager's next word will say so. */
function endOf(until: EpochMs | null, at: Moment): EpochMs {
  if (until === null) return at.now + UNKNOWN_REST_MS
  return Math.max(until, at.now + SOON_MS)
}

function budgetOf(pair: Pair): number | null {
  const budget = pair.allowance?.budget ?? null
  if (budget === null) return null
  const since = pair.allowanceAskedAt - BUDGET_LAG_MS
  return Math.max(0, Math.floor(pair.started.reduce((left, { at: when, n }) => (when > since ? left - n : left), budget)))
}

function unsureWait(shard: Shard, pair: Pair, at: Moment): Omit<Wait, 'kind'> | null {
  let until = 0
  for (const unsure of shard.unsure) if (covers(unsure, pair.ip)) until = Math.max(until, unsure.until)
  return until > at.mono ? { because: 'sender-silent', until: at.now + (until - at.mono) } : null
}

function covers(unsure: Unsure, ip: string): boolean {
  return unsure.ips === null || unsure.ips.has(ip)
}

/** What is left of a pair beside everything that its leases (but one) may hold; the person's rate is shared by the whole site. */
export function leftOf(shard: Shard, site: Site, pair: Pair, gate: Extract<Gate, { kind: 'go' }>, at: Moment, except?: Parameters<typeof countedOfPair>[2]) {
  const held = countedOfPair(pair, at.mono, except)
  const { row, rate } = limitsAt(shard, site, at)
  const ofRate = rate === Number.POSITIVE_INFINITY ? rate : rate - paceOfSite(site, at.mono, except)
  return {
    sessions: gate.sessions - held.sessions,
    pacePerS: Math.min(gate.pacePerS - held.pacePerS, ofRate),
    perAddress: row.sessionsPerAddress - held.perAddress,
    connectsPerMinute: row.connectsPerMinute - held.connectsPerMinute,
    budget: gate.budget === null ? null : gate.budget - budgetHeld(pair, except),
  }
}

function budgetHeld(pair: Pair, except: Parameters<typeof countedOfPair>[2]): number {
  let held = 0
  for (const lease of pair.leases) if (lease !== except) held += lease.budget ?? 0
  return held
}
