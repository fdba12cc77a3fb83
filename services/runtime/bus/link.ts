import { setTimeout as pause } from 'node:timers/promises'
import { createInbox, errors, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core'
import { Infrastructure, RETRY_PACE_MS } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Reply, Requests } from './requests.ts'

/**
 * One connection, and whether it stands. What is asked while it is down waits for it: NOTE: NATS.js would take a publish then,
 * and forget it at the next dial without a word.
 */
export class Link {
  readonly nc: NatsConnection
  readonly log: Log
  readonly closed: Promise<Error | null>
  readonly #inboxes: string | undefined
  readonly #requests: Requests
  readonly #listeners = new Set<(connected: boolean) => void>()
  #connected = true

  /** `inboxes`: what every subject that answers come to begins with, where the server lets us hear no others. */
  constructor(nc: NatsConnection, log: Log, inboxes?: string) {
    this.nc = nc
    this.log = log
    this.#inboxes = inboxes
    this.#requests = new Requests(nc, this.inbox())
    this.closed = nc.closed().then((error) => {
      this.#requests.endAll('closed')
      this.#turn(false)
      return error ?? null
    })
    void this.#readStatus()
  }

  get connected(): boolean {
    return this.#connected
  }

  /** closed or about to be: nothing more can be said */
  get ending(): boolean {
    return this.nc.isClosed() || this.nc.isDraining()
  }

  /** Is the server one of several? Then what it does for us can end while the connection stands: its part may live on another one. */
  get clustered(): boolean {
    return this.nc.info?.cluster !== undefined
  }

  /** A subject for answers that nobody else has. */
  inbox(): string {
    return createInbox(this.#inboxes)
  }

  /** At most once; into the void when the connection is down or ended. */
  say(subject: string, body: Uint8Array, headers?: MsgHdrs): void {
    if (!this.ending) this.nc.publish(subject, body, headers === undefined ? {} : { headers })
  }

  onConnection(tell: (connected: boolean) => void): Disposable {
    this.#listeners.add(tell)
    return { [Symbol.dispose]: () => void this.#listeners.delete(tell) }
  }

  /** Does the connection stand, now or within so long? */
  async up(withinMs: number): Promise<boolean> {
    if (this.#connected) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(resolve, Math.max(0, withinMs), false)
    using _ = this.onConnection((connected) => resolve(connected))
    const connected = await promise
    clearTimeout(timer)
    return connected
  }

  /** One question, asked once. */
  async request(subject: string, body: Uint8Array, headers: MsgHdrs | null, timeoutMs: number): Promise<Reply> {
    if (!this.#connected && !(await this.up(timeoutMs))) return { kind: this.nc.isClosed() ? 'closed' : 'timeout' }
    if (this.ending) return { kind: 'closed' }
    return this.#requests.send(subject, body, headers, timeoutMs)
  }

  /** A question whose repetition does no harm: asked until somebody answers, `withinMs` at the most. */
  async insist(subject: string, body: Uint8Array, withinMs: number): Promise<Extract<Reply, { kind: 'reply' }>['msg']> {
    const deadlineMs = performance.now() + withinMs
    for (;;) {
      const reply = await this.request(subject, body, null, Math.min(2_000, Math.max(1, deadlineMs - performance.now())))
      if (reply.kind === 'reply') return reply.msg
      const code = reply.kind === 'nobody' ? 'no-leader' : reply.kind
      if (code === 'closed' || code === 'denied' || performance.now() >= deadlineMs) throw new Infrastructure(code, `${subject}: ${code}`)
      await pause(RETRY_PACE_MS[code])
    }
  }

  async #readStatus(): Promise<void> {
    for await (const status of this.nc.status()) {
      switch (status.type) {
        case 'disconnect':
          this.log.warn('nats-lost', { server: status.server })
          this.#turn(false)
          this.#requests.endAll('cut')
          break
        case 'reconnect':
          this.log.info('nats-regained', { server: status.server })
          this.#turn(true)
          break
        case 'error':
          this.log.error('nats-error', { error: status.error.message })
          if (status.error instanceof errors.PermissionViolationError && status.error.operation === 'publish') this.#requests.denied(status.error.subject)
          break
        default: // pings, cluster updates: of no interest here
      }
    }
  }

  #turn(connected: boolean): void {
    if (connected === this.#connected) return
    this.#connected = connected
    for (const tell of [...this.#listeners]) tell(connected)
  }
}
