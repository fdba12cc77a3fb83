import type { Blame, ReplyClass, Stage } from '../words.ts'

/** What a reply means once a row has recognised it. */
export interface Then {
  readonly class: ReplyClass
  readonly blames: Blame
  /** How long what is blamed rests, milliseconds. Absent: its owner's default. */
  readonly restMs?: number
  /** The rest is due only after `count` such replies within `perMs`. */
  readonly threshold?: Threshold
  /** May feed the suppression list (delivery.md §8); how fast is decided there, by class. Never without a row that says so. */
  readonly suppress?: boolean
  /** The reply asks for a delisting or a change on our side: waiting alone will not help. */
  readonly needsPerson?: boolean
  /** Where the reply's own 4 or 5 would say otherwise (552 for too many recipients is temporary). */
  readonly outcome?: 'deferred' | 'bounced'
}

export interface Threshold {
  readonly count: number
  readonly perMs: number
}

/** A bare expression is tried on enhanced code and text of replies with the same first digit as the sample.
 *  `code` is exact (452), a first digit (4, 5), or absent: the sample's first digit. `enhanced` is exact, or a prefix ending with a dot. */
export type When = RegExp | { readonly code?: number | readonly number[]; readonly enhanced?: string; readonly text?: RegExp }

/** A row with the reply that taught it. */
export interface Rule {
  /** `google/dkim-rate`; what outcomes, counts and `hato doctor` call it. */
  readonly id: string
  /** Rows of the provider table it belongs to; absent: everywhere. */
  readonly providers?: readonly string[]
  /** Where it may be heard. Absent: anywhere, but what blames a recipient or content only from RCPT on (delivery.md §3). */
  readonly stages?: readonly Stage[]
  /** A sample as the peer sends it, continuation lines joined. The test judges it through the whole table. */
  readonly seen: string
  readonly when: When
  readonly then: Then
}
