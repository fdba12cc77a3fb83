/**
 * connect: one NATS connection and everything an actor may do with it.
 *
 * OWNS       the connection
 * SAYS       `nats-waited` every few seconds until NATS is there; `nats-lost`, `nats-regained`
 * INVARIANT  what is durable is told by the stream's answer, never assumed
 * NOT HERE   subjects and streams (protocol), buckets (kv.ts), objects (objects.ts)
 */
import { setTimeout as pause } from 'node:timers/promises'
import { errors, type Msg, type NatsConnection } from '@nats-io/nats-core'
import { Svcm } from '@nats-io/services'
import { connect } from 'nats'
import { BadConfig, Infrastructure } from '../errors.ts'
import type { Log } from '../log.ts'
import { dropConsumer, ensureBuckets, ensureObjectBucket, ensureStreams, hasStream, purge, remove, storeUse, streamState } from './ensure.ts'
import { follow } from './follow.ts'
import { readHeaders, writeHeaders } from './headers.ts'
import { Link } from './link.ts'
import { pull } from './pull.ts'
import { fetchSeq, readAtLeader, scan } from './read.ts'
import { store, storeAll } from './store.ts'
import type { Answer, Bus, Call, Headers, Heard, Listening } from './types.ts'

export interface ConnectOptions {
  /** several servers separated by commas */
  readonly url: string
  /** shown in the server's connection list */
  readonly name: string
  readonly credentials?: { readonly user: string; readonly pass: string }
  readonly log: Log
  /** gives up waiting for NATS */
  readonly signal?: AbortSignal
}

const ACK = new TextEncoder().encode('+ACK')
const WORKING = new TextEncoder().encode('+WPI')
const ACK_TIMEOUT_MS = 5_000
const SAY_WAITING_MS = 3_000

/** Waits until NATS is there. Throws BadConfig when it refuses our credentials. */
export async function connectBus(options: ConnectOptions): Promise<Bus> {
  return new NatsBus(new Link(await dial(options), options.log, inboxesOf(options.credentials?.user)), options.name)
}

/** A user's answers come to subjects of its own, so that the server can keep them from others. A name that is no subject has none. */
function inboxesOf(user: string | undefined): string | undefined {
  return user !== undefined && /^[\w:-]+$/.test(user) ? `_INBOX.${user}` : undefined
}

async function dial({ url, name, credentials, log, signal }: ConnectOptions): Promise<NatsConnection> {
  let saidMs = Number.NEGATIVE_INFINITY
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await connect({
        servers: url.split(',').map((server) => server.trim()),
        name,
        ...credentials,
        timeout: 5_000,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 100,
        reconnectJitter: 100,
        pingInterval: 5_000,
        ignoreAuthErrorAbort: true, // a server that is just starting may refuse for a moment; only the first connect judges credentials
        noAsyncTraces: true,
      })
    } catch (error) {
      if (error instanceof errors.AuthorizationError)
        throw new BadConfig(`NATS at ${url} refuses ${credentials ? `user "${credentials.user}"` : 'a connection without credentials'}`, { cause: error })
      if (performance.now() - saidMs > SAY_WAITING_MS) {
        saidMs = performance.now()
        log.info('nats-waited', { url, because: String(error instanceof Error ? error.message : error) })
      }
      await pause(200, undefined, signal ? { signal } : {})
    }
  }
}

class NatsBus implements Bus {
  readonly name: string
  readonly closed: Promise<Error | null>
  readonly #link: Link

  constructor(link: Link, name: string) {
    this.#link = link
    this.name = name
    this.closed = link.closed
  }

  get connected() {
    return this.#link.connected
  }

  onConnection(tell: (connected: boolean) => void) {
    return this.#link.onConnection(tell)
  }

  say(subject: string, body: Uint8Array, headers?: Headers) {
    this.#link.say(subject, body, headers === undefined ? undefined : writeHeaders(headers))
  }

  async ask(subject: string, body: Uint8Array, options: { readonly timeoutMs: number; readonly headers?: Headers }): Promise<Answer> {
    const reply = await this.#link.request(subject, body, options.headers === undefined ? null : writeHeaders(options.headers), options.timeoutMs)
    switch (reply.kind) {
      case 'reply':
        return { kind: 'answer', body: reply.msg.data, headers: readHeaders(reply.msg) }
      case 'nobody':
        return { kind: 'nobody' }
      case 'timeout':
      case 'cut':
        return { kind: 'timeout' }
      default:
        throw new Infrastructure(reply.kind, `${subject}: ${reply.kind}`)
    }
  }

  async askAll(subject: string, body: Uint8Array, options: { readonly timeoutMs: number; readonly enough?: number }): Promise<Uint8Array[]> {
    const answers: Uint8Array[] = []
    const done = Promise.withResolvers<void>()
    const inbox = this.#link.inbox()
    using _ = this.#listen(inbox, {}, (msg) => {
      if (msg.data.length === 0 && msg.headers?.code === 503) return done.resolve() // nobody listens
      answers.push(msg.data)
      if (answers.length === options.enough) done.resolve()
    })
    const timer = setTimeout(done.resolve, options.timeoutMs)
    this.#link.nc.publish(subject, body, { reply: inbox })
    await done.promise
    clearTimeout(timer)
    return answers
  }

  serve(subject: string, handler: (call: Call) => void | Promise<void>, options: { readonly queue?: string } = {}): Listening {
    return this.#listen(subject, options, (msg) => {
      let replied = false
      const reply = (body: Uint8Array, headers?: Headers) => {
        if (replied || this.#link.ending) return
        replied = true
        msg.respond(body, headers === undefined ? {} : { headers: writeHeaders(headers) })
      }
      return handler({ subject: msg.subject, body: msg.data, headers: readHeaders(msg), reply })
    })
  }

  hear(subject: string, handler: (heard: Heard) => void, options: { readonly queue?: string } = {}): Listening {
    return this.#listen(subject, options, (msg) => handler({ subject: msg.subject, body: msg.data, headers: readHeaders(msg) }))
  }

  #listen(subject: string, options: { readonly queue?: string }, take: (msg: Msg) => void | Promise<void>): Listening {
    const { nc, log } = this.#link
    const subscription = nc.subscribe(subject, {
      ...options,
      callback: (error, msg) => {
        if (error === null) void take(msg)
        else log.error('not-heard', { subject, because: error.message })
      },
    })
    return {
      subject,
      [Symbol.dispose]: () => {
        if (!nc.isClosed() && !subscription.isClosed()) subscription.unsubscribe()
      },
    }
  }

  stats() {
    return this.#link.nc.stats()
  }

  flush() {
    return this.#link.nc.flush()
  }

  store: Bus['store'] = (subject, body, options) => store(this.#link, subject, body, options)
  storeAll: Bus['storeAll'] = (entries) => storeAll(this.#link, entries)
  readLast: Bus['readLast'] = (stream, subject) => readAtLeader(this.#link, stream, { last_by_subj: subject })
  readSeq: Bus['readSeq'] = (stream, seq) => readAtLeader(this.#link, stream, { seq })
  readNext: Bus['readNext'] = (stream, subject, afterSeq) => readAtLeader(this.#link, stream, { seq: afterSeq + 1, next_by_subj: subject })
  fetchSeq: Bus['fetchSeq'] = (stream, seq) => fetchSeq(this.#link, stream, seq)
  scan: Bus['scan'] = (stream, filter, options) => scan(this.#link, stream, filter, options)
  follow: Bus['follow'] = (stream, filters, options) => follow(this.#link, stream, filters, options)
  pull: Bus['pull'] = (spec, onMessage) => pull(this.#link, spec, onMessage)

  ack(ackSubject: string) {
    this.#link.say(ackSubject, ACK)
  }

  async ackSure(ackSubject: string) {
    const reply = await this.#link.request(ackSubject, ACK, null, ACK_TIMEOUT_MS)
    if (reply.kind === 'reply') return
    const code = reply.kind === 'nobody' ? 'no-leader' : reply.kind
    throw new Infrastructure(code, `${ackSubject}: ${reply.kind} before the ack was confirmed`)
  }

  working(ackSubject: string) {
    this.#link.say(ackSubject, WORKING)
  }

  remove: Bus['remove'] = (stream, seq) => remove(this.#link, stream, seq)
  purge: Bus['purge'] = (stream, subject, options) => purge(this.#link, stream, subject, options)
  dropConsumer: Bus['dropConsumer'] = (stream, durable) => dropConsumer(this.#link, stream, durable)
  ensureStreams: Bus['ensureStreams'] = (specs, options) => ensureStreams(this.#link, specs, options)
  ensureBuckets: Bus['ensureBuckets'] = (specs, options) => ensureBuckets(this.#link, specs, options)
  ensureObjectBucket: Bus['ensureObjectBucket'] = (name, options) => ensureObjectBucket(this.#link, name, options)
  hasStream: Bus['hasStream'] = (stream) => hasStream(this.#link, stream)
  streamState: Bus['streamState'] = (stream) => streamState(this.#link, stream)
  storeUse: Bus['storeUse'] = () => storeUse(this.#link)

  async announce(service: {
    readonly name: string
    readonly version: string
    readonly description: string
    readonly metadata?: Headers
  }): Promise<AsyncDisposable> {
    const announced = await new Svcm(this.#link.nc).add({ ...service, metadata: { ...service.metadata } })
    return {
      [Symbol.asyncDispose]: async () => {
        if (!this.#link.nc.isClosed()) await announced.stop()
      },
    }
  }

  /** What was said leaves first; when the connection is down it ends without. */
  async [Symbol.asyncDispose]() {
    const { nc } = this.#link
    if (nc.isClosed()) return
    if (this.connected && !nc.isDraining()) await Promise.race([nc.drain().catch(() => {}), pause(2_000, undefined, { ref: false })])
    if (!nc.isClosed()) await nc.close()
  }
}
