import type { Envelope, Lost, Reply, Stage, Transaction, Unfit } from './types.ts'

/** What a transaction says about recipient `i`: the first refusal on its way, else the answer to the dot. `reply` null: nothing decided, see `lost`. */
export function verdictFor(transaction: Transaction, i: number): { readonly stage: Stage; readonly reply: Reply | null } {
  const { mail, rcpts, data, dot } = transaction
  const rcpt = rcpts[i] ?? null
  if (mail !== null && !isPositive(mail)) return { stage: 'mail', reply: mail }
  if (rcpt !== null && !isPositive(rcpt)) return { stage: 'rcpt', reply: rcpt }
  if (data !== null && data.code >= 400) return { stage: 'data', reply: data }
  if (rcpt !== null && dot.length > 0) {
    // LMTP answers once per accepted recipient, SMTP once.
    const turn = dot.length === 1 ? 0 : rcpts.slice(0, i).filter((before) => before !== null && isPositive(before)).length
    return { stage: 'dot', reply: dot[turn] ?? null }
  }
  return { stage: transaction.lost?.stage ?? 'mail', reply: null }
}

/** The record of a mail of which nothing was written. */
export function untold(envelope: Envelope, why: { readonly lost: Lost | null; readonly unfit: Unfit | null }): Transaction {
  const rcpts = envelope.rcpts.map(() => null)
  return { mail: null, rcpts, data: null, dot: [], ...why, wasAhead: false, aheadRefused: false, ms: 0, usable: why.lost === null }
}

export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300
}

/** Whether an announced envelope is the one that a mail brings: the commands would be the same. */
export function sameEnvelope(a: Envelope, b: Envelope): boolean {
  return (
    a.from === b.from &&
    a.rcpts.length === b.rcpts.length &&
    a.rcpts.every((rcpt, i) => rcpt === b.rcpts[i]) &&
    a.smtputf8 === b.smtputf8 &&
    a.size === b.size &&
    (a.requiretls ?? false) === (b.requiretls ?? false) &&
    (a.bodyEncoding ?? '7bit') === (b.bodyEncoding ?? '7bit')
  )
}
