/** An ISP is a list of behaviours; a behaviour is one small state machine `(state, event, seen) → heard`.
 *
 *  State is handed over, not shared: the one passed in is spent, a behaviour may reuse its maps. With the same events,
 *  times and dice it always says the same, which is what lets a simulation replay it. */
import type { AfterEvent, EventKind, Mail, SmtpEvent } from './event.ts'
import type { BehaviourName, ProvokedBy } from './names.ts'
import type { Reply } from './reply.ts'
import type { Word } from './words.ts'

/** stay: go on · close: FIN after the reply · cut: FIN without another byte · reset: RST · cut-in-body: read some of the body, then FIN */
export type Then = 'stay' | 'close' | 'cut' | 'reset' | 'start-tls' | 'break-tls' | 'read-body' | 'cut-in-body'

export type Answer = {
  /** null: nothing is said */
  readonly reply: Reply | null
  readonly because: BehaviourName | 'plain' | 'bad-sequence' | 'no-recipient'
  readonly then: Then
  /** dot only: the mail is in the far end's store, whatever was said */
  readonly keeps?: 'mail'
  /** mails accepted earlier that are now thrown away after all */
  readonly voids?: readonly Mail[]
  /** a limit of this ISP was overstepped */
  readonly excess?: true
}

export type Heard<S> = {
  readonly state: S
  readonly answer?: Answer
  /** added to whatever is answered in the end */
  readonly waitMs?: number
  /** the behaviour showed itself although it answered nothing */
  readonly met?: true
  /** what is answered in the end is followed by a close */
  readonly closes?: 'after'
}

export type Rcpt = { readonly to: string; readonly word: Word | null }

export type SessionView = {
  readonly id: number
  readonly source: string
  readonly host: string
  readonly tls: 'plain' | 'encrypted'
  /** transactions begun, mails stored, recipients accepted and refused, all in this session */
  readonly mails: number
  readonly stored: number
  readonly rcpts: number
  readonly refused: number
  readonly mail: { readonly from: string; readonly rcpts: readonly Rcpt[] } | null
}

export type Seen = {
  readonly now: number
  /** [0, 1) */
  readonly dice: () => number
  readonly session: SessionView
  /** sessions open from this source, this one included */
  readonly openFromSource: number
  /** what the address of the current RCPT asks for */
  readonly word: Word | null
}

export type Behaviour<S = unknown> = {
  readonly name: BehaviourName
  readonly provokedBy: ProvokedBy
  readonly hears: readonly EventKind[]
  /** how it refuses, for those limits that an address may bring about (`meet-…@`) */
  readonly says?: Reply
  start(): S
  /** null: nothing to say and nothing changed */
  hear(state: S, event: SmtpEvent | AfterEvent, seen: Seen): Heard<S> | null
}

/** Most behaviours keep nothing. */
export function stateless(
  name: BehaviourName,
  provokedBy: ProvokedBy,
  hears: readonly EventKind[],
  hear: (event: SmtpEvent | AfterEvent, seen: Seen) => Omit<Heard<null>, 'state'> | null,
  says?: Reply,
): Behaviour<null> {
  return {
    name,
    provokedBy,
    hears,
    ...(says === undefined ? {} : { says }),
    start: () => null,
    hear: (state, event, seen) => {
      const heard = hear(event, seen)
      return heard === null ? null : { state, ...heard }
    },
  }
}
