import type { Socket } from 'node:net'
import type { MonoMs } from '../../../protocol/words.ts'
import { assertEndsInCrlf } from './body.ts'
import { DATA, FINAL_DOT, QUIT, RSET, envelopeCommands, mailCommand, rcptCommand, whyUnfit } from './commands.ts'
import { Exchange, type Step } from './exchange.ts'
import type { Timeouts } from './timeouts.ts'
import { isPositive, sameEnvelope, untold } from './transaction.ts'
import { InvariantBroken } from '../../runtime/errors.ts'
import type { Envelope, Lost, Mail, Reply, SessionEnd, SessionFacts, Stage, Transaction } from './types.ts'
import { type Body, bodyOf, Wire } from './wire.ts'

/** The transaction that a caller waits for. `commands` is not empty while they wait for the reply to RSET or to a lone dot. */
interface Turn {
  readonly exchange: Exchange
  readonly body: Body
  readonly ahead: { readonly envelope: Envelope; readonly commands: string } | null
  readonly settle: (transaction: Transaction) => void
  readonly startedAt: MonoMs
  commands: string
}

/** MAIL and RCPT commands said so far, announced ones included, and RCPTs refused. */
interface Counts {
  mails: number
  rcpts: number
  refused: number
}

/**
 * One SMTP or LMTP conversation after its EHLO: one transaction at a time, on a socket that is ours alone.
 *
 * INVARIANT  After 354 either the whole body with its dot is written or nothing more. A lone dot only when every RCPT was refused.
 *            No byte of a body before the 354 of its own DATA was read. A transaction says delivered only by a 2xx to its dot.
 *            Every `transact` settles, whatever the peer does; `over` resolves once, when the socket is closed and no listener is left.
 * NOT HERE   whose fault a reply is, retries, limits, what to announce: the caller's.
 */
export class SmtpSession {
  readonly facts: SessionFacts
  /** Resolves when the socket is gone; never rejects. */
  readonly over: Promise<SessionEnd>
  readonly #timeouts: Timeouts
  readonly #wire: Wire
  readonly #pipelining: boolean
  #turn: Turn | null = null
  /** the envelope written behind the current or last body, and what it waits to do until its mail comes */
  #announced: { readonly exchange: Exchange; step: Step } | null = null
  #aheadProven = false
  /** RSET or a lone dot is not answered yet */
  #clearing = false
  #end: SessionEnd | null = null
  #idleSince: MonoMs = performance.now()
  readonly #counts: Counts = { mails: 0, rcpts: 0, refused: 0 }

  /** Takes the socket over. `unread`: bytes that came behind the EHLO reply. */
  constructor(socket: Socket, facts: SessionFacts, timeouts: Timeouts, unread: Buffer) {
    this.facts = facts
    this.#timeouts = timeouts
    this.#pipelining = facts.extensions.keywords.has('PIPELINING')
    this.#wire = new Wire(socket, timeouts, {
      hear: (reply) => this.#hear(reply),
      broken: (how, fault) => this.#finish({ because: how, stage: this.stage, reply: null, fault }),
      expired: () => this.#expired(),
    })
    this.over = this.#wire.closed.then(() => this.#end!)
    this.#wire.waitAtMost(timeouts.idleMs)
    if (unread.length > 0) this.#wire.read(unread)
  }

  /** What per-session limits count; goes on counting. */
  get counts(): Readonly<Counts> {
    return this.#counts
  }

  /** Since when no transaction is under way (monotonic), null while one is. */
  get idleSinceMs(): MonoMs | null {
    return this.#turn === null ? this.#idleSince : null
  }

  /** Another mail may be given to it; false for good once the end is known. */
  get usable(): boolean {
    return this.#end === null
  }

  /** `data` until the dot is with the socket, then `dot`: before it, `close()` delivers nothing; after it, the reply is worth waiting for. */
  get stage(): Stage {
    return this.#turn === null || this.#turn.commands !== '' ? 'idle' : this.#turn.exchange.stage
  }

  /** The envelope that the next mail must have, since it is already with the peer. */
  get announced(): Envelope | null {
    return this.#announced?.exchange.envelope ?? null
  }

  /**
   * Sends one mail and tells what the peer said to it; never rejects. `ahead` is written behind the body where the peer has PIPELINING, and then
   * the next call must bring exactly that envelope (see `announced`), or the session must be closed.
   * Throws InvariantBroken, before a byte is written, for a second transaction at once, another envelope than the announced, an unsendable address or body.
   */
  transact(mail: Mail, ahead: Envelope | null): Promise<Transaction> {
    if (this.#turn !== null) throw new InvariantBroken('one-transaction', 'a second transaction while one is under way')
    const body = bodyOf(mail)
    assertEndsInCrlf(body.chunks)
    const announced = this.#announced
    const fits = announced !== null && sameEnvelope(announced.exchange.envelope, mail)
    if (this.#end !== null) {
      const lost: Lost = { stage: 'idle', bodySent: 'none', fault: this.#end.fault }
      return Promise.resolve(fits ? announced.exchange.told({ lost, ms: 0, usable: false }) : untold(mail, { lost, unfit: null }))
    }
    if (announced !== null && !fits) throw new InvariantBroken('announced-envelope', 'another envelope was announced than this mail brings')
    if (announced === null) {
      const unfit = this.#whyUnfit(mail)
      if (unfit !== null) return Promise.resolve(untold(mail, { lost: null, unfit }))
    }
    const exchange = announced?.exchange ?? this.#exchange(mail, 'in-turn')
    // NOTE Always the whole envelope, even for peers that get it one by one: an address that cannot be sent must throw here, not in a socket's callback.
    const envelope = announced === null ? envelopeCommands(mail, this.facts.extensions) : ''
    const commands = announced === null && !this.#pipelining ? mailCommand(mail, this.facts.extensions) : envelope
    const next =
      ahead === null || !this.#pipelining || this.#whyUnfit(ahead) !== null
        ? null
        : { envelope: ahead, commands: envelopeCommands(ahead, this.facts.extensions) }
    return new Promise((settle) => {
      const turn: Turn = { exchange, body, ahead: next, settle, startedAt: performance.now(), commands }
      this.#turn = turn
      this.#announced = null
      if (announced !== null) {
        this.#waitFor(exchange.stage)
        this.#act(turn, announced.step)
      } else {
        this.#countCommands(mail)
        if (!this.#clearing) this.#begin(turn)
      }
    })
  }

  /** Says QUIT and lets go; nobody waits for the 221. With an announced envelope it closes instead, since QUIT could be read as a body. */
  quit(): void {
    if (this.#turn !== null) throw new InvariantBroken('one-transaction', 'QUIT in the middle of a transaction')
    this.#leave('quit')
  }

  /** Closes at once, without a word; a transaction under way settles as lost. Idempotent, and cuts short a QUIT too. */
  close(): void {
    this.#finish({ because: 'cut', stage: this.stage, reply: null, fault: { code: 'ECUT', message: 'closed by us' } })
    this.#wire.destroy()
  }

  #whyUnfit(envelope: Envelope) {
    return whyUnfit(envelope, this.facts.extensions, this.facts.tls === null ? 'plain' : 'tls')
  }

  #exchange(envelope: Envelope, turn: 'in-turn' | 'ahead'): Exchange {
    const { protocol } = this.facts
    return new Exchange(envelope, { pipelining: this.#pipelining, protocol, wasAhead: turn === 'ahead', aheadProven: this.#aheadProven })
  }

  #countCommands(envelope: Envelope): void {
    this.#counts.mails += 1
    if (this.#pipelining) this.#counts.rcpts += envelope.rcpts.length
  }

  #begin(turn: Turn): void {
    this.#wire.write(turn.commands)
    turn.commands = ''
    this.#waitFor('mail')
  }

  #hear(reply: Reply): void {
    if (this.#clearing) return this.#cleared(reply)
    const exchange = this.#turn?.exchange ?? this.#announced?.exchange
    if (exchange === undefined) return this.#finish({ because: 'reply', stage: 'idle', reply, fault: null })
    const stage = exchange.stage
    if (stage === 'rcpt' && !isPositive(reply) && isPositive(exchange.mail!)) this.#counts.refused += 1
    const step = exchange.hear(reply)
    if (reply.code === 421) {
      // RFC 5321 3.8: the peer closes, whatever else was asked. What the 421 completed is complete; the rest is lost.
      return this.#finish({ because: 'reply', stage, reply, fault: null }, step)
    }
    this.#waitFor(exchange.stage)
    if (this.#turn !== null) this.#act(this.#turn, step)
    else this.#actUnasked(step)
  }

  /** Does what the replies call for. */
  #act(turn: Turn, step: Step): void {
    const { exchange } = turn
    switch (step) {
      case 'wait':
        return
      case 'rcpt':
        this.#counts.rcpts += 1
        this.#wire.write(rcptCommand(exchange.envelope, exchange.nextRcpt))
        return
      case 'data':
        this.#wire.write(DATA)
        return
      case 'body':
        this.#sendBody(turn)
        return
      case 'lone-dot':
      case 'reset':
        this.#clear(step)
        this.#conclude(null, 'going-on')
        return
      case 'done':
        this.#rest()
        this.#conclude(null, 'going-on')
        return
      case 'cut':
        this.#fail(exchange.stage, 'EPROTOCOL', exchange.nonsense ?? '')
    }
  }

  /** The same for an envelope whose mail has not come yet: what ends it happens now, what needs its body waits. */
  #actUnasked(step: Step): void {
    const announced = this.#announced!
    announced.step = step === 'lone-dot' || step === 'reset' ? 'done' : step
    if (step === 'body' || step === 'done') this.#rest()
    else if (step === 'lone-dot' || step === 'reset') this.#clear(step)
    else if (step === 'cut') this.#fail('mail', 'EPROTOCOL', announced.exchange.nonsense ?? '')
  }

  #sendBody({ exchange, body, ahead }: Turn): void {
    if (exchange.wasAhead) this.#aheadProven = true
    this.#wire.writeBody(body, ahead === null ? FINAL_DOT : FINAL_DOT + ahead.commands, () => {
      exchange.dotWritten()
      this.#waitFor('dot')
      if (ahead === null) return
      exchange.aheadOnTrial = !this.#aheadProven
      this.#announced = { exchange: this.#exchange(ahead.envelope, 'ahead'), step: 'wait' }
      this.#countCommands(ahead.envelope)
    })
  }

  #clear(how: 'lone-dot' | 'reset'): void {
    this.#clearing = true
    this.#wire.write(how === 'reset' ? RSET : FINAL_DOT)
    this.#wire.waitAtMost(this.#timeouts.rsetMs)
  }

  /** RSET or the lone dot was answered. A lone dot is rightly refused (no valid recipients); where RSET is, the next MAIL tells. */
  #cleared(reply: Reply): void {
    this.#clearing = false
    if (reply.code === 421) this.#finish({ because: 'reply', stage: 'idle', reply, fault: null })
    else if (this.#turn === null) this.#rest()
    else this.#begin(this.#turn)
  }

  #rest(): void {
    if (this.#clearing) return
    if (this.#announced?.step === 'wait') this.#waitFor('mail')
    else this.#wire.waitAtMost(this.#timeouts.idleMs)
  }

  #waitFor(stage: Stage): void {
    const { mailMs, rcptMs, dataMs, dotMs } = this.#timeouts
    this.#wire.waitAtMost(stage === 'mail' ? mailMs : stage === 'rcpt' ? rcptMs : stage === 'dot' ? dotMs : dataMs)
  }

  #conclude(lost: Lost | null, then: 'going-on' | 'ending'): void {
    const turn = this.#turn
    if (turn === null) return
    const now = performance.now()
    this.#turn = null
    this.#idleSince = now
    turn.settle(turn.exchange.told({ lost, ms: now - turn.startedAt, usable: then === 'going-on' }))
  }

  #leave(because: 'quit' | 'idle'): void {
    if (this.#end !== null) return
    if (this.#announced !== null) return this.#finish({ because, stage: 'idle', reply: null, fault: null })
    this.#end = { because, stage: 'idle', reply: null, fault: null }
    this.#wire.sayLast(QUIT)
  }

  #expired(): void {
    if (this.#turn === null && !this.#clearing && this.#announced?.step !== 'wait') return this.#leave('idle')
    this.#fail(this.stage, 'ETIMEDOUT', `no answer in time at ${this.#clearing ? 'RSET' : this.stage}`)
  }

  #fail(stage: Stage, code: string, message: string): void {
    this.#finish({ because: 'fault', stage, reply: null, fault: { code, message } })
  }

  /** The one way in which a session ends other than by QUIT. `step`: what the last reply would have called for. */
  #finish(end: SessionEnd, step: Step = 'wait'): void {
    if (this.#end !== null) return
    this.#end = end
    const turn = step === 'done' || step === 'reset' ? null : this.#turn
    const lost = turn === null ? null : { stage: this.stage, bodySent: this.#bodySent(turn.exchange), fault: end.fault }
    this.#wire.destroy()
    this.#conclude(lost, 'ending')
  }

  /** NOTE An empty write buffer is the proof that the kernel has the dot. With an envelope behind it there is none: the peer may have the dot alone. */
  #bodySent(exchange: Exchange): Lost['bodySent'] {
    if (exchange.phase === 'dot') return this.#wire.flushed || this.#announced !== null ? 'dotSent' : 'partial'
    return exchange.bodyBegun ? 'partial' : 'none'
  }
}
