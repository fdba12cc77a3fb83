import type { OutcomeWord, ReplyClass } from '../../../protocol/words.ts'
import { Ring } from './ring.ts'

/** delivery.md §7, per (campaign × site). */
export const BREAKER = {
  window: 500,
  least: 200,
  /** share of mail that policy refused (content, block, authentication): what makes a large filter close the door to the next campaign too */
  policyMax: 0.05,
  complaintsMax: 0.003,
  complaintsLeast: 5,
  deliveredLeast: 1_000,
} as const

export const TRIPS = ['unknown-users', 'policy-blocks', 'complaints'] as const
export type Trip = (typeof TRIPS)[number]

const POLICY: ReadonlySet<ReplyClass> = new Set(['blocked', 'content', 'authentication', 'reputation'])

export interface Tripped {
  readonly because: Trip
  /** with the figures, for a person */
  readonly says: string
}

/** What one campaign came to at one site. */
export interface Pair {
  readonly unknown: Ring
  readonly policy: Ring
  delivered: number
  complained: number
}

export function newPair(): Pair {
  return { unknown: new Ring(), policy: new Ring(), delivered: 0, complained: 0 }
}

/** Is this outcome a result: did the site judge the recipient, for good? */
export function isResult({ outcome, stage }: { readonly outcome: OutcomeWord; readonly stage: string | null }): boolean {
  return outcome === 'delivered' || (outcome === 'bounced' && stage !== null)
}

export function isUnknown({ outcome, class: replyClass }: { readonly outcome: OutcomeWord; readonly class: ReplyClass }): boolean {
  return outcome === 'bounced' && (replyClass === 'unknown-user' || replyClass === 'ambiguous-user')
}

/** Counts a result and asks the breakers. `unknownMax`: the site's row (carriers bear less). */
export function countResult(pair: Pair, result: { readonly outcome: OutcomeWord; readonly class: ReplyClass }, unknownMax: number): Tripped | null {
  pair.unknown.add(isUnknown(result))
  pair.policy.add(result.outcome === 'bounced' && POLICY.has(result.class))
  if (result.outcome === 'delivered') pair.delivered++
  return (
    overShare('unknown-users', 'unknown users', pair.unknown, unknownMax) ?? overShare('policy-blocks', 'refused by policy', pair.policy, BREAKER.policyMax)
  )
}

export function countComplaint(pair: Pair): Tripped | null {
  pair.complained++
  const { complained, delivered } = pair
  if (delivered < BREAKER.deliveredLeast || complained < BREAKER.complaintsLeast || complained < delivered * BREAKER.complaintsMax) return null
  return {
    because: 'complaints',
    says: `${complained} complaints about ${delivered} delivered mails (${percent(complained / delivered)}, at most ${percent(BREAKER.complaintsMax)})`,
  }
}

function overShare(because: Trip, what: string, ring: Ring, max: number): Tripped | null {
  const { ones, of } = ring.last(BREAKER.window)
  if (of < BREAKER.least || ones <= of * max) return null
  return { because, says: `${ones} of the last ${of} results were ${what} (${percent(ones / of)}, at most ${percent(max)})` }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
