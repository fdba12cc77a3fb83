import type { Blame, EpochMs, Kind, Lane, ReplyClass } from './words.ts'

/** Why a recipient is tried again: one row of delivery.md §4 each. */
export const RETRY_REASONS = ['greylisted', 'mailbox-full', 'recipient-rate', 'site', 'source', 'sender', 'host', 'dns', 'bulk', 'urgent', 'continue'] as const
export type RetryReason = (typeof RETRY_REASONS)[number]

export interface RetryRow {
  /** Wait after the first, second … try for this reason, milliseconds, never shrinking; the last one repeats. */
  readonly stepsMs: readonly number[]
  /** A charged try counts against `maxCharged`; an uncharged one is nobody's fault and ends only with the deadline. */
  readonly charged: boolean
  /** Source IP of the next try: `hard` = that IP and no other for `stickMs`, `soft` = that IP where it can be had. */
  readonly comesBackFrom: 'hard' | 'soft' | 'any'
}

export interface RetryPolicy {
  readonly rows: Readonly<Record<RetryReason, RetryRow>>
  /** Share by which a wait is lengthened or shortened at random, so that a batch refused together does not come back together. */
  readonly jitter: number
  readonly maxCharged: number
  /** Tries a 5xx that is not the recipient's gets before it is final (delivery.md §3). */
  readonly maxRefusals: number
  /** Greylists remember the pair (source, envelope) for hours; after this any IP may try. */
  readonly stickMs: number
}

const minutes = (...steps: number[]): number[] => steps.map((step) => step * 60_000)
const hours = (...steps: number[]): number[] => steps.map((step) => step * 3_600_000)

/** The table of delivery.md §4. The rests of sites, sources and senders are kept by their owners (router, ip-manager): an order that
 *  comes back earlier is parked there without a try, so these three rows only say when to ask again. */
export const DEFAULT_RETRY: RetryPolicy = {
  rows: {
    greylisted: { stepsMs: minutes(5, 10, 20, 40, 60), charged: true, comesBackFrom: 'hard' },
    'mailbox-full': { stepsMs: hours(4, 8), charged: true, comesBackFrom: 'any' },
    'recipient-rate': { stepsMs: minutes(30, 60, 120, 240), charged: true, comesBackFrom: 'any' },
    site: { stepsMs: minutes(0.5, 1, 2, 5), charged: false, comesBackFrom: 'soft' },
    source: { stepsMs: minutes(1, 5, 15, 30), charged: false, comesBackFrom: 'soft' },
    sender: { stepsMs: minutes(15, 30, 60), charged: false, comesBackFrom: 'any' },
    host: { stepsMs: minutes(1, 5, 15, 30), charged: false, comesBackFrom: 'any' },
    dns: { stepsMs: minutes(5, 15, 30, 60), charged: false, comesBackFrom: 'any' },
    bulk: { stepsMs: minutes(15, 30, 60, 120, 240), charged: true, comesBackFrom: 'any' },
    urgent: { stepsMs: minutes(1, 2, 5, 10, 15), charged: true, comesBackFrom: 'any' },
    // The session or lease ended before this recipient's turn, or the envelope was full: nothing was refused, so it goes on at once.
    // It slows down all the same, for peers that end every session before its first mail.
    continue: { stepsMs: [1_000, 1_000, 2_000, 5_000, 15_000, 60_000], charged: false, comesBackFrom: 'any' },
  },
  jitter: 0.1,
  // The longest life (7 d) by the bulk row is 45 tries; the usual ones (24 h, 72 h) end by deadline at 9 and 21.
  maxCharged: 45,
  maxRefusals: 3,
  stickMs: 6 * 3_600_000,
}

/** One way home for a failed try. */
export interface Try {
  /** Number of the try that just ended, from 0. */
  readonly attempt: number
  /** How many tries before it were charged. */
  readonly chargedTries: number
  /** How many tries before it were refused by a 5xx that did not end them (delivery.md §3: at most three). */
  readonly refusals: number
  /** It was answered by a 5xx. */
  readonly permanent: boolean
  readonly class: ReplyClass
  readonly blames: Blame
  readonly kind: Kind
  readonly lane: Lane
  /** Source IP it left from (its address as ISPs see it), null when no connection came about. */
  readonly ip: string | null
  /** The stick the order carried, if any. */
  readonly stick?: Stick | null
  /** Wait the reply itself named, or the rest its rule teaches; null when neither. */
  readonly retryAfterMs: number | null
  readonly expiresAt: EpochMs
  readonly now: EpochMs
  /** Uniform in [0, 1). */
  readonly dice: () => number
  readonly policy: RetryPolicy
}

export interface Stick {
  readonly ip: string
  /** Until then no other IP may try; past it this one is only preferred. 0 = only preferred from the start. */
  readonly hardUntil: EpochMs
}

export type Next =
  | { readonly kind: 'retry'; readonly notBefore: EpochMs; readonly charged: boolean; readonly stick: Stick | null }
  | { readonly kind: 'give-up'; readonly outcome: 'bounced' | 'expired'; readonly class: ReplyClass }

/** Which row of the table a deferral falls under. What the reply was about (class) comes before whom it blames. */
export function retryReason(replyClass: ReplyClass, blames: Blame, lane: Lane): RetryReason {
  switch (replyClass) {
    case 'greylisted':
    case 'mailbox-full':
    case 'recipient-rate':
    case 'dns':
      return replyClass
    case 'session-end':
    case 'lease-end':
    case 'too-many-recipients':
      return 'continue'
    case 'site-busy':
    case 'too-many-connections':
    case 'resting':
      return blames === 'source' ? 'source' : 'site'
    case 'unreachable':
    case 'tls':
    case 'tls-policy':
    case 'bad-greeting':
      return blames === 'source' ? 'source' : 'host'
    default:
      if (blames === 'source' || blames === 'site' || blames === 'sender' || blames === 'host') return blames
      return lane
  }
}

/** Whether a deferral counts as one of the recipient's tries. */
export function isCharged(replyClass: ReplyClass, blames: Blame): boolean {
  return DEFAULT_RETRY.rows[retryReason(replyClass, blames, 'bulk')].charged
}

/** When and from where a deferred recipient is tried again, or that it is given up (delivery.md §3, §4). Only for outcome `deferred`. */
export function nextTry(last: Try): Next {
  const { policy, now } = last
  if (last.class === 'deadline' || last.expiresAt <= now) return { kind: 'give-up', outcome: 'expired', class: last.class }
  if (last.permanent && last.refusals + 1 >= policy.maxRefusals) return { kind: 'give-up', outcome: 'bounced', class: finalClass(last) }

  const reason = retryReason(last.class, last.blames, last.lane)
  const row = policy.rows[reason]
  if (row.charged && last.chargedTries + 1 >= policy.maxCharged) return { kind: 'give-up', outcome: 'bounced', class: last.class }

  const before = row.charged ? last.chargedTries : Math.max(0, last.attempt - last.chargedTries)
  const stepMs = row.stepsMs[Math.min(before, row.stepsMs.length - 1)] ?? 0
  const wait = last.retryAfterMs ?? stepMs
  // A time that the peer named is a promise: it is lengthened only, never cut short.
  const swing = last.retryAfterMs === null ? 1 - policy.jitter + 2 * policy.jitter * last.dice() : 1 + policy.jitter * last.dice()
  const notBefore = Math.round(now + wait * swing)
  if (notBefore >= last.expiresAt) {
    return last.permanent ? { kind: 'give-up', outcome: 'bounced', class: finalClass(last) } : { kind: 'give-up', outcome: 'expired', class: last.class }
  }
  return { kind: 'retry', notBefore, charged: row.charged, stick: stickOf(last, row) }
}

/** What a 5xx becomes once it is final: a refusal of us is `blocked`, so that it is never read as the recipient's. */
function finalClass({ blames, class: replyClass }: Try): ReplyClass {
  return blames === 'source' || blames === 'site' || blames === 'host' || blames === 'sender' ? 'blocked' : replyClass
}

function stickOf(last: Try, row: RetryRow): Stick | null {
  if (last.ip === null || row.comesBackFrom === 'any') return null
  if (row.comesBackFrom === 'soft') return { ip: last.ip, hardUntil: 0 }
  // The six hours run from the first greylisting, else a peer that greylists for ever would pin the recipient to one IP for ever.
  const known = last.stick?.ip === last.ip ? last.stick.hardUntil : 0
  return { ip: last.ip, hardUntil: known > 0 ? known : last.now + last.policy.stickMs }
}
