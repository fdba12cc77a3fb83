import type { Reply } from '../../../protocol/outcome.ts'
import type { Kind, Stage } from '../../../protocol/words.ts'
import type { Fault, Transaction } from '../smtp/types.ts'
import type { Finding } from './attempt.ts'
import { findingFrom, type Judge } from './judging.ts'

export interface FindingContext {
  readonly kind: Kind
  readonly mx: string
  readonly judge: Judge
  readonly provider: string | null
  readonly unknown: 'plain' | 'ambiguous'
  readonly source: string
  /** the session has carried mail before: a 421 or a close at MAIL ends the session and says nothing about this mail (delivery.md §5) */
  readonly warm: boolean
}

/**
 * What one transaction with one recipient came to. `session-broke`: the peer went away before it said anything to this mail,
 * as at the end of a session; nobody is blamed and the recipient goes on with another session.
 */
export function findingOf(transaction: Transaction, context: FindingContext): Finding | 'session-broke' {
  const { mail, data, lost, ms } = transaction
  const rcpt = transaction.rcpts[0] ?? null
  const dot = transaction.dot[0] ?? null

  if (dot && dot.code < 400) return { ...judged(dot, null, 'dot', context), outcome: 'delivered', class: 'delivered', blames: 'nobody', ms }
  // What an envelope behind a body brought upon itself or the mail before it is charged to nobody (delivery.md §5).
  if (transaction.aheadRefused && lost?.bodySent !== 'dotSent') return 'session-broke'
  if (transaction.unfit === 'size') return own('bounced', 'too-large', 'content', 'the mail is larger than the peer takes (SIZE)', ms)
  if (transaction.unfit === 'smtputf8') return own('bounced', 'protocol', 'domain', 'the peer does not take SMTPUTF8 addresses', ms)
  if (transaction.unfit === 'requiretls') return own('deferred', 'tls', 'host', 'the peer does not take REQUIRETLS', ms)

  const refused = firstRefusal([
    ['mail', mail],
    ['rcpt', rcpt],
    ['data', data],
    ['dot', dot],
  ])
  if (refused) {
    const stage = context.warm && refused.stage === 'mail' && refused.reply.code === 421 ? 'idle' : refused.stage
    const finding = judged(refused.reply, null, stage, context)
    // A 421 that only closes the session (RFC 5321 3.8) says nothing about this mail.
    if (finding.class === 'session-end' && finding.outcome === 'deferred') return 'session-broke'
    return { ...finding, ms }
  }
  if (lost?.bodySent === 'dotSent') return lostDot(lost.fault, context, ms)
  if (lost) {
    if (mail === null || lost.fault?.code === 'ECUT') return 'session-broke'
    return { ...judged(null, lost.fault, lost.stage, context), ms }
  }
  return 'session-broke' // announced ahead and not taken, or the session was closing: nothing was said to this mail
}

function firstRefusal(replies: readonly (readonly [Stage, Reply | null])[]): { stage: Stage; reply: Reply } | null {
  for (const [stage, reply] of replies) if (reply && reply.code >= 400) return { stage, reply }
  return null
}

function judged(reply: Reply | null, fault: Fault | null, stage: Stage, { judge, mx, ...context }: FindingContext): Finding {
  const heard = { reply, fault, stage, provider: context.provider, unknown: context.unknown, source: context.source }
  return findingFrom(heard, judge(heard), mx, null)
}

/** No reply to the dot (delivery.md §4): the peer may have the mail. An urgent mail is rather sent twice than not at all, a newsletter rather once. */
function lostDot(fault: Fault | null, { kind, mx }: FindingContext, ms: number): Finding {
  const because = fault ? `${fault.code} ${fault.message}` : 'no reply to the final dot'
  const same = { stage: 'dot' as const, reply: null, because, class: 'lost-dot' as const, restMs: null, retryAfterMs: null, stops: false, rule: null, mx, ms }
  return kind === 'transactional'
    ? { ...same, outcome: 'deferred', blames: 'host', mayBeDuplicate: true }
    : { ...same, outcome: 'delivered', blames: 'nobody', unconfirmed: true }
}

function own(outcome: 'bounced' | 'deferred', replyClass: Finding['class'], blames: Finding['blames'], because: string, ms: number): Finding {
  return { outcome, stage: 'mail', reply: null, because, class: replyClass, blames, restMs: null, retryAfterMs: null, stops: false, rule: null, mx: null, ms }
}
