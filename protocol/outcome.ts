import { z } from 'zod'
import { BLAMES, OUTCOMES, REPLY_CLASSES, STAGES } from './words.ts'

/** One SMTP reply (RFC 5321 4.2). `text` is the reply without code and enhanced code; lines of a multi-line reply joined by one space. */
export interface Reply {
  readonly code: number
  /** `5.1.1` (RFC 3463), or null where the peer gave none. */
  readonly enhanced: string | null
  readonly text: string
}

/** What happened to one recipient in one attempt. `n` is its index in the batch (0…99). */
export const Outcome = z.object({
  n: z.number().int().min(0).max(99),
  ref: z.string().nullable(),
  rcpt: z.string(),
  outcome: z.enum(OUTCOMES),
  stage: z.enum(STAGES).nullable(),
  code: z.number().int().nullable(),
  enhanced: z.string().nullable(),
  reply: z.string().nullable(),
  class: z.enum(REPLY_CLASSES),
  blames: z.enum(BLAMES),
  mx: z.string().nullable(),
  ip: z.string().nullable(),
  site: z.string(),
  /** from MAIL to the reply that decided, milliseconds */
  ms: z.number().nullable(),
  /** deferred: when the next try is due, RFC 3339 */
  until: z.string().optional(),
  /** delivered, but the peer never answered the dot (delivery.md §4) */
  unconfirmed: z.boolean().optional(),
  /** S2: an earlier holder of this batch may have sent it too */
  mayBeDuplicate: z.boolean().optional(),
  /** the row that knew the reply lets it feed the suppression list, once it is final (delivery.md §8); how fast is decided there, by class */
  suppress: z.boolean().optional(),
  /** the connection it went over (absent = plaintext, or none came about); `verified`: by whom its certificate was vouched for */
  tls: z.object({ version: z.string(), cipher: z.string(), peer: z.string().nullable(), verified: z.enum(['no', 'pkix', 'dane']) }).optional(),
  /** the peer's EHLO reply repeated this address for ours, and it is not `ip` (delivery.md §7, `egress-differs`) */
  seenAs: z.string().optional(),
  /** where a reply blames the source: the row that knew it, and what it teaches the ip-manager */
  rule: z
    .object({
      id: z.string(),
      /** how long the source rests there; absent = the provider row's own */
      restMs: z.number().optional(),
      /** only so many of these within so long mean it */
      threshold: z.object({ count: z.number(), perMs: z.number() }).optional(),
      /** waiting alone will not help: a delisting, or a change on our side */
      needsPerson: z.boolean().optional(),
    })
    .optional(),
})
export type Outcome = z.infer<typeof Outcome>

/** The body of `outcome.<tenant>.<campaign>.<batch>`, JSON. `batch` is the batch's sequence in stream MAIL. */
export const OutcomeChunk = z.object({
  v: z.literal(1),
  tenant: z.string(),
  campaign: z.string(),
  batch: z.number().int().positive(),
  attempt: z.number().int().min(0),
  /** RFC 3339 UTC with milliseconds */
  at: z.string(),
  outcomes: z.array(Outcome).min(1),
})
export type OutcomeChunk = z.infer<typeof OutcomeChunk>

/** A final outcome settles its recipient; `deferred` is on the way. */
export function isFinal(outcome: Outcome['outcome']): boolean {
  return outcome !== 'deferred'
}
