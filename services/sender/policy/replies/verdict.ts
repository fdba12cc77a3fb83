import { isCharged } from '../../../../protocol/retry.ts'
import type { Reply } from '../../../../protocol/outcome.ts'
import type { Blame, ReplyClass, Stage } from '../../../../protocol/words.ts'
import { HOUR_MS, MINUTE_MS, type Then, type Threshold } from './rule.ts'

/** What a reply or fault means for one recipient and for whom it blames (delivery.md §3). */
export interface Verdict {
  readonly outcome: 'delivered' | 'deferred' | 'bounced'
  readonly class: ReplyClass
  readonly blames: Blame
  /** May feed the suppression list; §8 decides by class how fast. */
  readonly suppress: boolean
  /** Rest of what is blamed that the row teaches, milliseconds; null: the owner's default. */
  readonly restMs: number | null
  /** The rest is due only after that many of these. */
  readonly threshold: Threshold | null
  /** Time a greylist named, 1 min to 1 h, milliseconds. */
  readonly retryAfterMs: number | null
  /** The try counts against the recipient's number of tries (delivery.md §4). */
  readonly charged: boolean
  /** A 5xx: deferred it gets at most three tries (delivery.md §3). */
  readonly permanent: boolean
  /** Id of the row that recognised it; null: the stage's default, to be counted for `hato doctor`. */
  readonly row: string | null
  /** Somebody has to ask for a delisting or change our set-up. */
  readonly needsPerson: boolean
}

/** Before the first RCPT nothing is any recipient's outcome (554-at-connect-bounces-nobody). */
export function isBeforeRcpt(stage: Stage): boolean {
  return stage !== 'rcpt' && stage !== 'data' && stage !== 'dot'
}

/** What the stage alone says of a reply that no row knows (delivery.md §3). */
export function stageDefault(stage: Stage, permanent: boolean): Then {
  switch (stage) {
    case 'connect':
    case 'greeting':
    case 'ehlo':
      return { class: 'bad-greeting', blames: 'host' }
    case 'starttls':
      return { class: 'tls', blames: 'host' }
    case 'mail':
      return { class: 'unmatched', blames: permanent ? 'sender' : 'source' }
    case 'rcpt':
      return { class: 'unmatched', blames: 'recipient' }
    case 'data':
    case 'dot':
      return { class: 'unmatched', blames: 'content' }
    case 'idle':
      return { class: 'session-end', blames: 'nobody' }
  }
}

/** A meaning becomes a verdict: the outcome follows from the digit, the stage and the blame; a row may only defer what would bounce, or
 *  bounce at RCPT or later what would defer. */
export function verdictOf(then: Then, reply: Reply, stage: Stage, row: string | null): Verdict {
  const permanent = reply.code >= 500
  const outcome = outcomeOf(then, permanent, stage)
  return {
    outcome,
    class: then.class,
    blames: then.blames,
    suppress: then.suppress === true && row !== null && (permanent || then.class === 'mailbox-full'),
    restMs: then.restMs ?? null,
    threshold: then.threshold ?? null,
    // A row that knows how long this greylist takes is believed before the reply's own words.
    retryAfterMs: then.class === 'greylisted' ? (then.restMs ?? namedWaitMs(reply.text)) : null,
    charged: isCharged(then.class, then.blames),
    permanent,
    row,
    needsPerson: then.needsPerson === true,
  }
}

function outcomeOf(then: Then, permanent: boolean, stage: Stage): 'deferred' | 'bounced' {
  if (isBeforeRcpt(stage)) return 'deferred'
  if (then.outcome) return then.outcome
  return permanent && endsAtOnce(then.blames) ? 'bounced' : 'deferred'
}

/** A 5xx of the recipient, its domain or the content will be the same tomorrow; one about us or them may not. */
function endsAtOnce(blames: Blame): boolean {
  return blames === 'recipient' || blames === 'domain' || blames === 'content'
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, 秒: 1_000, m: MINUTE_MS, 分: MINUTE_MS, h: HOUR_MS, 時: HOUR_MS }
// "in 300 seconds", "for 5 minutes", "after 00:04:59", "5分後"
const NAMED_WAIT = /(?:in|for|after|next|within) (?:about |at least |another )?(\d{1,5}) ?(s|m|h)|(\d{1,5}) ?(秒|分|時)/iu
const NAMED_CLOCK = /(?:in|for|after) (\d{1,2}):(\d\d):(\d\d)/i

/** The wait a greylist names, held between a minute and an hour; null when it names none. */
export function namedWaitMs(text: string): number | null {
  const clock = NAMED_CLOCK.exec(text)
  if (clock) return heldWithin(Number(clock[1]) * HOUR_MS + Number(clock[2]) * MINUTE_MS + Number(clock[3]) * 1_000)
  const match = NAMED_WAIT.exec(text)
  if (!match) return null
  return heldWithin(Number(match[1] ?? match[3]) * (UNIT_MS[(match[2] ?? match[4] ?? 's').toLowerCase()] ?? 1_000))
}

function heldWithin(ms: number): number {
  return Math.min(HOUR_MS, Math.max(MINUTE_MS, ms))
}
