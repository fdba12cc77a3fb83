/** How far a reply puts its recipient on the suppression list, and how far it may (delivery.md §8). */
import type { ReplyClass } from '../../protocol/words.ts'
import type { CorpusReply } from '../../services/sender/policy/replies/corpus/row.ts'
import type { Verdict } from '../../services/sender/policy/replies/verdict.ts'

/** `slowly`: only after three such replies, 15 days apart. */
const PACES = ['never', 'slowly', 'at once'] as const
type Pace = (typeof PACES)[number]

const SLOW: ReadonlySet<ReplyClass> = new Set(['ambiguous-user', 'mailbox-full', 'mailbox-disabled', 'no-such-domain', 'null-mx'])

/** A valid recipient would lose mail: the verdict suppresses where the postmaster would not, or sooner. */
export function suppressesWrongly(said: Pick<CorpusReply, 'class' | 'keep'>, verdict: Pick<Verdict, 'class' | 'suppress'>): boolean {
  const may: Pace = said.keep ? 'never' : paceOf(said.class)
  const does: Pace = verdict.suppress ? paceOf(verdict.class) : 'never'
  return PACES.indexOf(does) > PACES.indexOf(may)
}

function paceOf(replyClass: ReplyClass): Pace {
  if (replyClass === 'unknown-user') return 'at once'
  return SLOW.has(replyClass) ? 'slowly' : 'never'
}
