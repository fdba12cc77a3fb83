import type { Blame, ReplyClass, Stage } from '../../../../../protocol/words.ts'

/** A reply as a receiver may send it, with the reading of a careful postmaster (delivery.md §3), made without asking the rules. */
export interface CorpusReply {
  /** Row of the provider table; null: any other server. */
  readonly provider: string | null
  readonly stage: Stage
  readonly class: ReplyClass
  readonly blames: Blame
  readonly reply: string
  /** Nothing may feed the suppression list: the mailbox lives, whatever its class. */
  readonly keep: boolean
}

type Row = readonly [stage: Stage, replyClass: ReplyClass, blames: Blame, reply: string, keep?: 'keep']

export function heardFrom(provider: string | null, rows: readonly Row[]): readonly CorpusReply[] {
  return rows.map(([stage, replyClass, blames, reply, keep]) => ({ provider, stage, class: replyClass, blames, reply, keep: keep === 'keep' }))
}
