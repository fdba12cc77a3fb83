import type { EpochMs, ReplyClass, SourceMode } from '../../../protocol/words.ts'
import { advanceRamp, countRamp, firstStep, halfOfBest, isRampFull, type Ramp, type RampPlan } from './ramp.ts'
import { countScore, EMPTY_TALLY, type ScoreTally } from './score.ts'

/**
 * A source IP is, for one site, always in exactly one mode (delivery.md §7):
 *   warming     lends up to the ramp's step
 *   steady      lends its full allowance
 *   cooling     lends nothing until `until`; entered on a reply that blames the source
 *   recovering  lends one session, then a quarter, a half, all; a step per clean hour; then back to what it was
 *   blocked     needs a person; once a day it becomes recovering, and the first blame takes it back
 */
export const MAY_BECOME = {
  warming: ['steady', 'cooling', 'blocked'],
  steady: ['warming', 'cooling', 'blocked'],
  cooling: ['recovering', 'blocked'],
  recovering: ['warming', 'steady', 'cooling', 'blocked'],
  blocked: ['recovering'],
} as const satisfies Record<SourceMode, readonly SourceMode[]>

/** One IP at one site. Plain data: it rests in bucket `reputation`. */
export interface Source {
  readonly mode: SourceMode
  readonly because: string | null
  /** cooling: its end · blocked: the next probe · else null */
  readonly until: EpochMs | null
  /** since when it is in this mode; while recovering, since when it is on this step or was last blamed */
  readonly since: EpochMs
  /** what it goes back to after recovering */
  readonly before: 'warming' | 'steady'
  /** recovering: 0 one session, 1 a quarter, 2 a half, 3 all */
  readonly step: number
  /** recovering out of a daily probe: one mail a minute until one is delivered */
  readonly probing: boolean
  /** deliveries on this step: an hour without mail proves nothing */
  readonly proven: number
  /** when it began to cool, within the last 24 h */
  readonly coolings: readonly EpochMs[]
  /** replies that count together before they cool, by what taught them */
  readonly strikes: Readonly<Record<string, readonly EpochMs[]>>
  readonly ramp: Ramp | null
  /** mails of the best day it has had, and of the day that is going on */
  readonly bestDay: number
  readonly today: { readonly at: EpochMs; readonly sent: number }
  readonly lastTrafficAt: EpochMs
  readonly score: ScoreTally
}

/** A reply that blamed the source. */
export interface SourceBlame {
  readonly class: ReplyClass
  /** why, for people: the row's id or the class */
  readonly because: string
  /** the row's rest; null = the provider row's `rest.sourceMs` */
  readonly restMs: number | null
  readonly threshold: { readonly count: number; readonly perMs: number } | null
  /** it asks for a delisting or a change on our side */
  readonly needsPerson: boolean
}

/** What the provider table and the fleet file say of this pair. */
export interface SourceLimits {
  /** first rest after a blame that names none, milliseconds */
  readonly sourceMs: number
  readonly hourlyStart: number | null
  readonly ramp: RampPlan
  /** steady without traffic for so long warms up again */
  readonly idleMs: number
}

/** The new source, and the change to be said when its mode changed. */
export interface Step {
  readonly source: Source
  readonly change: Change | null
}
export interface Change {
  readonly from: SourceMode
  readonly to: SourceMode
  readonly because: string
  readonly until: EpochMs | null
  readonly at: EpochMs
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The fifth cooling within 24 h is a block: waiting has not helped four times. */
const COOLINGS_TO_BLOCK = 5
const LAST_STEP = 3

/** A pair nobody has used yet; an IP with `warm_since` in the fleet file warms up, one without is warm already. */
export function newSource(isWarm: 'warm' | 'cold', limits: SourceLimits, now: EpochMs): Source {
  const mode = isWarm === 'warm' ? 'steady' : 'warming'
  return {
    mode,
    because: null,
    until: null,
    since: now,
    before: mode,
    step: LAST_STEP,
    probing: false,
    proven: 0,
    coolings: [],
    strikes: {},
    ramp: mode === 'warming' ? firstStep(limits.ramp, limits.hourlyStart, now) : null,
    bestDay: 0,
    today: { at: now, sent: 0 },
    lastTrafficAt: now,
    score: EMPTY_TALLY,
  }
}

/** The only writer of `mode`. Throws on a transition that `MAY_BECOME` does not name: that is a bug here, never a message's fault. */
export function become(source: Source, mode: SourceMode, because: string, until: EpochMs | null, now: EpochMs): Step {
  if (!(MAY_BECOME[source.mode] as readonly SourceMode[]).includes(mode)) throw new Error(`a source may not become ${mode} from ${source.mode} (${because})`)
  return {
    source: {
      ...source,
      mode,
      because,
      until,
      since: now,
      before: mode === 'warming' || mode === 'steady' ? mode : beforeOf(source),
      step: mode === 'recovering' ? 0 : LAST_STEP,
      probing: mode === 'recovering' && source.mode === 'blocked',
      proven: 0,
      strikes: {},
    },
    change: { from: source.mode, to: mode, because, until, at: now },
  }
}

/** A reply blamed it: cool, or block. What is still on its way while it cools is heard, but is no return. */
export function blame(source: Source, reply: SourceBlame, limits: SourceLimits, now: EpochMs): Step {
  if (source.mode === 'blocked') return same(source)
  if (reply.needsPerson) return become(source, 'blocked', reply.because, now + DAY_MS, now)
  const restMs = Math.min(DAY_MS, reply.restMs ?? limits.sourceMs)
  if (source.mode === 'cooling') return same({ ...source, until: Math.max(source.until ?? now, now + restMs) })
  if (source.probing) return become(source, 'blocked', reply.because, now + DAY_MS, now)

  const struck = strike(source, reply, now)
  if (!struck.isDue) return same(struck.source)
  const coolings = [...source.coolings.filter((at) => now - at < DAY_MS), now]
  if (coolings.length >= COOLINGS_TO_BLOCK)
    return become({ ...source, coolings }, 'blocked', `${coolings.length} coolings in 24 h, last: ${reply.because}`, now + DAY_MS, now)
  // Doubling on each return; at most a day.
  const until = now + Math.min(DAY_MS, restMs * 2 ** (coolings.length - 1))
  return become({ ...source, coolings }, 'cooling', reply.because, until, now)
}

/** Traffic since the last word: what was tried, delivered, and deferred by blame of source or rate. */
export function count(
  source: Source,
  traffic: { readonly sent: number; readonly delivered: number; readonly blamed: number; readonly complained: number },
  now: EpochMs,
): Source {
  if (traffic.sent === 0 && traffic.complained === 0) return source
  const isNewDay = now - source.today.at >= DAY_MS
  const today = isNewDay ? { at: now, sent: traffic.sent } : { at: source.today.at, sent: source.today.sent + traffic.sent }
  return {
    ...source,
    ramp: source.ramp ? countRamp(source.ramp, traffic.sent, traffic.blamed, now) : null,
    today,
    bestDay: Math.max(source.bestDay, today.sent),
    lastTrafficAt: traffic.sent > 0 ? now : source.lastTrafficAt,
    proven: source.proven + traffic.delivered,
    probing: source.probing && traffic.delivered === 0,
    since: source.mode === 'recovering' && traffic.blamed > 0 ? now : source.since,
    score: countScore(source.score, traffic, now),
  }
}

/** What time alone brings: the end of a rest, the next step, the ramp's next day, the daily probe. Call it every minute or so. */
export function pass(source: Source, limits: SourceLimits, now: EpochMs): Step {
  switch (source.mode) {
    case 'cooling':
      return now >= (source.until ?? 0) ? become(source, 'recovering', 'rest is over', null, now) : same(source)
    case 'blocked':
      return now >= (source.until ?? 0) ? become(source, 'recovering', 'daily probe', null, now) : same(source)
    case 'recovering': {
      if (now - source.since < HOUR_MS || source.proven === 0) return same(source)
      if (source.step < LAST_STEP) return same({ ...source, step: source.step + 1, since: now, proven: 0 })
      return become(source, source.before, 'recovered', null, now)
    }
    case 'warming': {
      const ramp = source.ramp ?? firstStep(limits.ramp, limits.hourlyStart, now)
      if (isRampFull(ramp, limits.ramp)) return become({ ...source, ramp: null }, 'steady', 'warm', null, now)
      return same({ ...source, ramp: advanceRamp(ramp, limits.ramp, now) ?? ramp })
    }
    case 'steady': {
      if (now - source.lastTrafficAt < limits.idleMs) return same(source)
      const ramp = halfOfBest(source.bestDay, limits.ramp, limits.hourlyStart, now)
      // A pair that is bigger than the ramp's end even at a half of its best day need not warm up.
      if (isRampFull(ramp, limits.ramp)) return same({ ...source, lastTrafficAt: now })
      return become({ ...source, ramp }, 'warming', 'no traffic for a long time', null, now)
    }
  }
}

/** A person says that the cause is mended. */
export function release(source: Source, because: string, now: EpochMs): Step {
  if (source.mode !== 'blocked' && source.mode !== 'cooling') return same(source)
  const step = become(source, 'recovering', because, null, now)
  return { ...step, source: { ...step.source, probing: false, coolings: [] } }
}

function beforeOf({ mode, before }: Source): 'warming' | 'steady' {
  return mode === 'warming' || mode === 'steady' ? mode : before
}

function strike(source: Source, { because, threshold }: SourceBlame, now: EpochMs): { readonly source: Source; readonly isDue: boolean } {
  if (threshold === null) return { source, isDue: true }
  const recent = [...(source.strikes[because] ?? []).filter((at) => now - at < threshold.perMs), now].slice(-threshold.count)
  return { source: { ...source, strikes: { ...source.strikes, [because]: recent } }, isDue: recent.length >= threshold.count }
}

function same(source: Source): Step {
  return { source, change: null }
}
