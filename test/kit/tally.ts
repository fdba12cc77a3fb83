/**
 * The truth about a campaign: every outcome of the journal, against the published list and the far end.
 */
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { isFinal, type Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import type { FinalOutcome } from '../../protocol/words.ts'
import type { Bus } from '../../services/runtime/bus.ts'

export interface Tally {
  /** recipients with a final outcome, by that outcome; the first one counts */
  readonly finals: Readonly<Record<FinalOutcome, number>>
  /** recipients that ended more than once, which S1 forbids */
  readonly endedTwice: readonly { readonly rcpt: string; readonly outcomes: readonly string[] }[]
  /** recipients flagged `mayBeDuplicate` (S2) */
  readonly flagged: ReadonlySet<string>
  readonly unconfirmed: number
  readonly deferrals: number
  /** how each recipient ended; several mails to one address: the last one heard */
  readonly endOf: ReadonlyMap<string, FinalOutcome>
}

export async function tallyOutcomes(bus: Bus, tenant: string, campaign: string): Promise<Tally> {
  const finals: Record<FinalOutcome, number> = { delivered: 0, bounced: 0, expired: 0, suppressed: 0, cancelled: 0 }
  const ends = new Map<string, { readonly rcpt: string; readonly outcomes: string[] }>() // batch and n → what was said of it
  const flagged = new Set<string>()
  const endOf = new Map<string, FinalOutcome>()
  let unconfirmed = 0
  let deferrals = 0
  for await (const { body } of bus.scan(STREAM.outcomes, wildcard('outcome', { tenant, campaign }))) {
    const chunk = OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(body)))
    for (const one of chunk.outcomes) {
      if (one.mayBeDuplicate === true) flagged.add(one.rcpt)
      if (!isFinal(one.outcome)) {
        deferrals++
        continue
      }
      const key = `${chunk.batch}/${one.n}`
      const before = ends.get(key)
      if (before !== undefined) {
        before.outcomes.push(one.outcome)
        continue
      }
      ends.set(key, { rcpt: one.rcpt, outcomes: [one.outcome] })
      endOf.set(one.rcpt, one.outcome as FinalOutcome)
      finals[one.outcome as FinalOutcome]++
      if (one.unconfirmed === true) unconfirmed++
    }
  }
  return { finals, endedTwice: [...ends.values()].filter(({ outcomes }) => outcomes.length > 1), flagged, unconfirmed, deferrals, endOf }
}

/** Every outcome of a campaign, in the journal's order. */
export async function outcomesOf(bus: Bus, tenant: string, campaign: string): Promise<readonly Outcome[]> {
  const all: Outcome[] = []
  for await (const { body } of bus.scan(STREAM.outcomes, wildcard('outcome', { tenant, campaign })))
    all.push(...OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(body))).outcomes)
  return all
}

export interface Account {
  /** published, said to be delivered (or not said to have ended at all), and not at the far end */
  readonly lost: readonly string[]
  /** the same mail more than once at the far end, with its copies */
  readonly doubled: readonly { readonly rcpt: string; readonly messageId: string; readonly copies: number; readonly flagged: boolean }[]
  /** published and without a final outcome */
  readonly unaccounted: readonly string[]
  /** at the far end and never published */
  readonly unpublished: readonly string[]
}

/** `farEnd`: recipient → Message-ID → copies, as the sinks (or the world) stored them. */
export function account(published: readonly string[], tally: Tally, farEnd: ReadonlyMap<string, ReadonlyMap<string, number>>): Account {
  const unaccounted = published.filter((rcpt) => !tally.endOf.has(rcpt))
  const lost = published.filter((rcpt) => !farEnd.has(rcpt) && (tally.endOf.get(rcpt) ?? 'delivered') === 'delivered')
  const doubled = [...farEnd].flatMap(([rcpt, mails]) =>
    [...mails].filter(([, copies]) => copies > 1).map(([messageId, copies]) => ({ rcpt, messageId, copies, flagged: tally.flagged.has(rcpt) })),
  )
  const known = new Set(published)
  return { lost, doubled, unaccounted, unpublished: [...farEnd.keys()].filter((rcpt) => !known.has(rcpt)) }
}

export function settledOf(status: CampaignStatus): number {
  return status.delivered + status.bounced + status.expired + status.suppressed + status.cancelled
}

/** A status names so many sites at most. */
const WAITING_ROWS = 200

/** S1 and S7 whenever anyone asks; null when they hold. */
export function breachOf(status: CampaignStatus): string | null {
  const settled = settledOf(status)
  if (status.recipients !== settled + status.waiting) return `recipients ${status.recipients} ≠ settled ${settled} + waiting ${status.waiting}`
  if (status.deferred > status.waiting) return `deferred ${status.deferred} > waiting ${status.waiting}`
  const explained = status.waitingFor.reduce((sum, { count }) => sum + count, 0)
  if (status.waitingFor.length < WAITING_ROWS && explained !== status.waiting) return `${status.waiting} waiting, ${explained} of them with a reason (S7)`
  if (status.state === 'finished' && status.waiting !== 0) return `finished with ${status.waiting} waiting`
  return null
}
