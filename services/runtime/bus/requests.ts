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

const SWEEP_MS = 50

export class Requests {
  readonly #nc: NatsConnection
  readonly #inbox: string
  readonly #waiting = new Map<string, Waiting>()
  #next = 0
  #sweep: NodeJS.Timeout | null = null

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
    this.#waiting.set(token, { subject, deadlineMs: performance.now() + timeoutMs, resolve })
    this.#sweep ??= setTimeout(this.#sweepNow, SWEEP_MS)
    const reply = this.#inbox + token
    this.#nc.publish(subject, body, headers === null ? { reply } : { reply, headers })
    return promise
  }

  endAll(kind: 'cut' | 'closed'): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
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
    if (this.#waiting.size > 0 || this.#sweep === null) return
    clearTimeout(this.#sweep)
    this.#sweep = null
  }

  readonly #sweepNow = (): void => {
    const now = performance.now()
    for (const [token, { deadlineMs }] of this.#waiting) if (deadlineMs <= now) this.#end(token, { kind: 'timeout' })
    this.#sweep = this.#waiting.size === 0 ? null : setTimeout(this.#sweepNow, SWEEP_MS)
  }
}
