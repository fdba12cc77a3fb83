import type { Reply } from '../../../protocol/outcome.ts'
import type { Blame, ReplyClass, Stage } from '../../../protocol/words.ts'

/** What is judged: a reply or a fault, where it came, and at whose site. */
export interface Heard {
  readonly reply: Reply | null
  readonly fault: { readonly code: string; readonly message: string } | null
  readonly stage: Stage
  readonly provider: string | null
  readonly unknown: 'plain' | 'ambiguous'
}

/** What the sender acts on of a verdict (replies/judge.ts gives more). */
export interface Judgement {
  readonly outcome: 'delivered' | 'deferred' | 'bounced'
  readonly class: ReplyClass
  readonly blames: Blame
  readonly restMs: number | null
  readonly retryAfterMs: number | null
}

export type Judge = (heard: Heard) => Judgement
