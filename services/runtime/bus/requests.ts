/**
 * requests: one inbox for all questions of a connection.
 *
 * NOTE: not `nc.request`: that one arms a timer and two promises for each request, and when the connection breaks it lets every
 * request under way run into its time-out. Here they are told at once that they were cut, and one sweep serves all time-outs.
 */
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core'

export type Reply =
  | { readonly kind: 'reply'; readonly msg: Msg }
  | { readonly kind: 'nobody' } // nobody listens: surely not heard
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cut' } // the connection broke: perhaps heard
  | { readonly kind: 'denied' } // the server's permissions forbid the subject
  | { readonly kind: 'closed' }

interface Waiting {
  readonly subject: string
  readonly deadlineMs: number
  readonly resolve: (reply: Reply) => void
}

/** Time-outs so close to each other are one sweep. */
const TOGETHER_MS = 50

export class Requests {
  readonly #nc: NatsConnection
  readonly #inbox: string
  readonly #waiting = new Map<string, Waiting>()
  #next = 0
  #sweep: NodeJS.Timeout | undefined
  #sweepAtMs = Number.POSITIVE_INFINITY

  constructor(nc: NatsConnection, inbox: string) {
    this.#nc = nc
    this.#inbox = `${inbox}.`
    nc.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        if (error === null) this.#hear(msg)
      },
    })
  }

  send(subject: string, body: Uint8Array, headers: MsgHdrs | null, timeoutMs: number): Promise<Reply> {
    const token = (this.#next++).toString(36)
    const { promise, resolve } = Promise.withResolvers<Reply>()
    const deadlineMs = performance.now() + timeoutMs
    this.#waiting.set(token, { subject, deadlineMs, resolve })
    if (deadlineMs + TOGETHER_MS < this.#sweepAtMs) this.#sweepAt(deadlineMs, timeoutMs)
    const reply = this.#inbox + token
    this.#nc.publish(subject, body, headers === null ? { reply } : { reply, headers })
    return promise
  }

  endAll(kind: 'cut' | 'closed'): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#sweepNever()
    for (const { resolve } of waiting) resolve({ kind })
  }

  denied(subject: string): void {
    for (const [token, waiting] of this.#waiting) if (waiting.subject === subject) this.#end(token, { kind: 'denied' })
  }

  #hear(msg: Msg): void {
    const nobody = msg.data.length === 0 && msg.headers?.code === 503
    this.#end(msg.subject.slice(this.#inbox.length), nobody ? { kind: 'nobody' } : { kind: 'reply', msg })
  }

  #end(token: string, reply: Reply): void {
    const waiting = this.#waiting.get(token)
    if (waiting === undefined) return
    this.#waiting.delete(token)
    waiting.resolve(reply)
    if (this.#waiting.size === 0) this.#sweepNever()
  }

  /** NOTE: no sooner than it must: a timer that is taken back wakes the process all the same (libuv hears of it at its end). */
  #sweepAt(deadlineMs: number, inMs: number): void {
    clearTimeout(this.#sweep)
    this.#sweepAtMs = deadlineMs
    this.#sweep = setTimeout(this.#sweepNow, inMs)
  }

  #sweepNever(): void {
    clearTimeout(this.#sweep)
    this.#sweepAtMs = Number.POSITIVE_INFINITY
  }

  readonly #sweepNow = (): void => {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const [token, { deadlineMs }] of this.#waiting) {
      if (deadlineMs <= now + 1) this.#end(token, { kind: 'timeout' })
      else next = Math.min(next, deadlineMs)
    }
    if (next === Number.POSITIVE_INFINITY) this.#sweepNever()
    else this.#sweepAt(next, Math.max(TOGETHER_MS, next - now))
  }
}
