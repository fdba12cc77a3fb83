import { isPositive } from './transaction.ts'
import type { Envelope, Lost, Reply, Stage, Transaction } from './types.ts'

/** What the session must do after a reply.
 *  wait       the next reply
 *  rcpt, data (peers without PIPELINING) say the next RCPT, or DATA
 *  body       the peer said 354 and has a recipient: the whole body with its dot, or nothing more at all
 *  lone-dot   the peer said 354 although it refused every RCPT: end its empty mail
 *  done       nothing of the transaction is left at the peer
 *  reset      done, and the peer holds an open transaction: RSET before the next
 *  cut        close without another byte: what comes next could be read as a body, or replies and commands no longer match */
export type Step = 'wait' | 'rcpt' | 'data' | 'body' | 'lone-dot' | 'done' | 'reset' | 'cut'

/** Knowledge about the peer that an exchange needs. `aheadProven`: an envelope behind a body went well in this session before. */
export interface Manner {
  readonly pipelining: boolean
  readonly protocol: 'smtp' | 'lmtp'
  readonly wasAhead: boolean
  readonly aheadProven: boolean
}

/**
 * One transaction as the replies tell it: pure, it decides and writes nothing. It is
 *   envelope  until the reply to DATA (or the last one that comes without DATA)
 *   body      from `body` on, until the session says `dotWritten`
 *   dot       until each awaited reply to the dot is there
 *   settled   for good
 */
export class Exchange {
  readonly envelope: Envelope
  mail: Reply | null = null
  rcpts: (Reply | null)[]
  data: Reply | null = null
  dot: (Reply | null)[] = []
  phase: 'envelope' | 'body' | 'dot' | 'settled' = 'envelope'
  /** a reply that has no place: why the session is cut */
  nonsense: string | null = null
  /** another envelope was written behind this body, and no such thing had gone well in this session before */
  aheadOnTrial = false
  /** a 354 was followed: bytes of the body may be with the peer */
  bodyBegun = false
  readonly #manner: Manner
  /** replies heard, of MAIL, each RCPT, DATA in this order */
  #heard = 0
  #accepted = 0
  #answered = 0

  constructor(envelope: Envelope, manner: Manner) {
    this.envelope = envelope
    this.#manner = manner
    this.rcpts = new Array<Reply | null>(envelope.rcpts.length).fill(null)
  }

  /** Which command the next reply answers. The body counts as `data`. */
  get stage(): Stage {
    if (this.phase === 'dot') return 'dot'
    if (this.phase !== 'envelope' || this.#heard > this.rcpts.length) return 'data'
    return this.#heard === 0 ? 'mail' : 'rcpt'
  }

  /** The recipient whose RCPT comes next. */
  get nextRcpt(): number {
    return this.#heard - 1
  }

  get wasAhead(): boolean {
    return this.#manner.wasAhead
  }

  hear(reply: Reply): Step {
    const step = this.#hear(reply)
    if (step !== 'wait' && step !== 'rcpt' && step !== 'data' && step !== 'body') this.phase = 'settled'
    return step
  }

  /** The body and its dot are with the socket. */
  dotWritten(): void {
    this.phase = 'dot'
    this.dot = new Array<Reply | null>(this.#manner.protocol === 'lmtp' ? this.#accepted : 1).fill(null)
  }

  /** The record for the caller. */
  told(end: { readonly lost: Lost | null; readonly ms: number; readonly usable: boolean }): Transaction {
    const { mail, rcpts, data, dot } = this
    return { mail, rcpts, data, dot, ...end, unfit: null, wasAhead: this.#manner.wasAhead, aheadRefused: this.#aheadRefused(end.lost) }
  }

  #hear(reply: Reply): Step {
    switch (this.phase) {
      case 'envelope':
        if (this.#heard === 0) return this.#hearMail(reply)
        return this.#heard <= this.rcpts.length ? this.#hearRcpt(reply) : this.#hearData(reply)
      case 'body':
        return this.#hearTooEarly(reply)
      case 'dot':
        this.dot[this.#answered] = reply
        this.#answered += 1
        return this.#answered === this.dot.length ? 'done' : 'wait'
      case 'settled':
        return this.#cut('a reply after the last one')
    }
  }

  #hearMail(reply: Reply): Step {
    this.mail = reply
    this.#heard = 1
    if (isPositive(reply)) return this.#manner.pipelining ? 'wait' : 'rcpt'
    if (!this.#manner.pipelining) return 'done'
    // NOTE A first envelope ahead that is refused is not waited out: peers differ in how many 503 they give for its commands (Haraka: each one's).
    return this.#manner.wasAhead && !this.#manner.aheadProven ? this.#cut('no envelope behind a body here') : 'wait'
  }

  #hearRcpt(reply: Reply): Step {
    this.rcpts[this.#heard - 1] = reply
    this.#heard += 1
    if (isPositive(reply)) this.#accepted += 1
    if (this.#manner.pipelining) return 'wait'
    if (this.#heard <= this.rcpts.length) return 'rcpt'
    return this.#accepted > 0 ? 'data' : 'reset'
  }

  #hearData(reply: Reply): Step {
    this.data = reply
    this.#heard += 1
    const mailStands = this.mail !== null && isPositive(this.mail)
    if (reply.code >= 400) return mailStands || this.#accepted > 0 ? 'reset' : 'done'
    if (reply.code < 300) return this.#cut('DATA answered with a success')
    if (this.#accepted === 0) return mailStands && this.#manner.protocol === 'smtp' ? 'lone-dot' : this.#cut('354 without a recipient')
    if (!mailStands) return this.#cut('354 without a sender')
    this.phase = 'body'
    this.bodyBegun = true
    return 'body'
  }

  /** A reply between 354 and the dot. A refusal is believed, since the dot never leaves; a success cannot be one. */
  #hearTooEarly(reply: Reply): Step {
    if (reply.code >= 400) {
      this.dot = new Array<Reply | null>(this.#manner.protocol === 'lmtp' ? this.#accepted : 1).fill(reply)
      return this.#cut('refused before the end of the body')
    }
    return this.#cut('a success before the end of the body')
  }

  #cut(why: string): Step {
    this.nonsense = why
    return 'cut'
  }

  /** delivery.md §5: any 5xx or close after the *first* envelope ahead; later only a 503, which no envelope of its own turn would get. */
  #aheadRefused(lost: Lost | null): boolean {
    if (this.aheadOnTrial && (lost !== null || this.dot.some((reply) => reply?.code === 503))) return true
    if (!this.#manner.wasAhead) return false
    if (this.#manner.aheadProven) return this.mail?.code === 503
    // A transaction that is lost after its 354 is the network's doing: its envelope was taken.
    if (lost !== null && (this.data?.code ?? 500) >= 400) return true
    return (this.mail?.code ?? 0) >= 400 || this.rcpts.some((reply) => (reply?.code ?? 0) >= 500) || (this.data?.code ?? 0) >= 500
  }
}
