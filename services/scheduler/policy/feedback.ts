import type { Feedback, SuppressionEntry } from '../../../protocol/messages/ops.ts'
import { REPLY_CLASSES, type ReplyClass } from '../../../protocol/words.ts'

/** Whom a word that came back concerns, as the journal or the records know it. */
export interface Concerned {
  /** of the tenant; null = it speaks of an address only */
  readonly campaign: string | null
  readonly rcpt: string | null
  /** null = the journal no longer knows it */
  readonly site: string | null
  /** source IP that sent it */
  readonly ip: string | null
  /** the campaign's `list.id` */
  readonly list: string | null
}

/**
 * taken      it concerns somebody
 * repeated   its id, or the same word about the same mail, was heard before
 * forged     its return path is not one of ours
 * foreign    its return path is not of this tenant's mail
 * unplaced   it names nobody that can be found
 */
export type Heard = 'taken' | 'repeated' | 'forged' | 'foreign' | 'unplaced'

export type Count = 'bouncedLater' | 'complained' | 'unsubscribed'
export const COUNT_OF = { bounce: 'bouncedLater', complaint: 'complained', unsubscribe: 'unsubscribed' } as const satisfies Record<Feedback['kind'], Count>

/** By these it is known again: its id, and what it says of whom. The second counts a recipient once, however often and under whatever ids it is reported. */
export function keysOf(tenant: string, { id, kind, token, campaign, rcpt, ref }: Feedback): readonly [string, string] {
  const whom = token === undefined ? `${campaign ?? ''}\0${rcpt?.toLowerCase() ?? ''}\0${rcpt === undefined ? ref : ''}` : localOf(token).toLowerCase()
  return [`${tenant}\0${id}`, `${tenant}\0${kind}\0${whom}`]
}

/** What a complaint or an unsubscribe writes at once (delivery.md §8): for good. A bounce is judged like a reply, elsewhere. */
export function entryOf({ kind, at, list, source }: Feedback, concerned: Concerned): SuppressionEntry | null {
  if (kind === 'bounce' || concerned.rcpt === null) return null
  const of = list ?? concerned.list
  return { address: concerned.rcpt, reason: kind, since: at, until: null, reply: source.slice(0, 500), ...(of !== null && { list: of }) }
}

/** Classes of a bounce that concern the mailbox; what else came back (a block, a size) says nothing of whether it exists. */
const SUPPRESSING: ReadonlySet<ReplyClass> = new Set(['unknown-user', 'ambiguous-user', 'mailbox-full', 'mailbox-disabled', 'no-such-domain', 'null-mx'])

/** A late bounce as a verdict on the mailbox; null = it is none. `isAmbiguous`: the site says "unknown" of its users' own filters too. */
export function verdictOf({ kind, class: told }: Feedback, isAmbiguous: boolean): ReplyClass | null {
  const known = REPLY_CLASSES.find((one) => one === told)
  if (kind !== 'bounce' || known === undefined || !SUPPRESSING.has(known)) return null
  return known === 'unknown-user' && isAmbiguous ? 'ambiguous-user' : known
}

export function localOf(token: string): string {
  const at = token.lastIndexOf('@')
  return at === -1 ? token : token.slice(0, at)
}
