/**
 * follow: a stream read in order for ever, by an ephemeral push consumer that is thrown away and made anew whenever there is doubt.
 *
 * INVARIANT  the reader gets every message once and in order: a consumer sequence out of step, a silence of three heartbeats or a new connection
 *            means a new consumer that starts behind the last message taken in
 * NOTE       flow control is the back-pressure: the server waits until the reader has come to its mark, so memory stays bounded
 */
import { type Msg, nuid, type Subscription } from '@nats-io/nats-core'
import { Infrastructure } from '../errors.ts'
import { apiOrThrow } from './api.ts'
import { readDelivered } from './delivered.ts'
import { readHeaders } from './headers.ts'
import type { Link } from './link.ts'
import { every } from '../wheel.ts'
import type { Follow, FollowOptions, StoredMessage } from './types.ts'

/** Of several servers the one that serves us can die alone; a single one takes our connection along, and a dozen watches that tell of nothing wake an idle process. */
const HEARTBEAT_MS = { clustered: 1_000, single: 30_000 } as const
/** heartbeats missed until the consumer is taken for gone */
const SILENT_BEATS = 3
const AGAIN_MS = 250
const NANO = 1_000_000
const NOTHING = new Uint8Array()

type Queued = StoredMessage | { readonly mark: () => void }

export function follow(link: Link, stream: string, filters: readonly string[], options: FollowOptions = {}): Follow {
  const queue: Queued[] = []
  let head = 0
  let wake: (() => void) | null = null
  let closed = false
  let failed: unknown = null
  let takenIn = (options.fromSeq ?? 1) - 1 // last sequence put into the queue
  let handedOut = takenIn
  let consumer: { readonly name: string; readonly subscription: Subscription } | null = null
  let expected = 1
  let heardMs = Number.NEGATIVE_INFINITY
  let again: NodeJS.Timeout | undefined
  let making = false
  const caughtUp = Promise.withResolvers<void>()

  // The watch of owners is asked how long it has been silent: a sender takes grants only while it has heard of them within 3 s (S3).
  const heartbeatMs = () => HEARTBEAT_MS[link.clustered || options.attentive === true ? 'clustered' : 'single']

  const put = (queued: Queued) => {
    queue.push(queued)
    wake?.()
  }

  const hear = (msg: Msg, name: string) => {
    if (consumer?.name !== name) return
    heardMs = performance.now()
    if (msg.headers !== undefined && msg.headers.code !== 0 && msg.data.length === 0) return hearStatus(msg)
    const { seq, consumerSeq, at, pending } = readDelivered(msg)
    if (consumerSeq !== expected) return renew('gap')
    expected++
    takenIn = seq
    put({ subject: msg.subject, body: msg.data, headers: readHeaders(msg), seq, at })
    if (pending === 0) put({ mark: caughtUp.resolve })
  }

  const hearStatus = (msg: Msg) => {
    if (msg.headers?.code !== 100) return renew(`${msg.headers?.code} ${msg.headers?.description}`)
    const goOn = msg.reply || msg.headers.get('Nats-Consumer-Stalled')
    if (goOn) return put({ mark: () => link.say(goOn, NOTHING) })
    const last = Number(msg.headers.get('Nats-Last-Consumer') || 0)
    if (last >= expected) renew('gap')
  }

  function drop() {
    if (consumer === null || link.nc.isClosed()) return
    consumer.subscription.unsubscribe()
    if (link.connected) link.say(`$JS.API.CONSUMER.DELETE.${stream}.${consumer.name}`, NOTHING) // no answer wanted: inactive ones go by themselves
    consumer = null
  }

  const renew = (because: string) => {
    link.log.debug('follow-renewed', { stream, because })
    drop()
    void make()
  }

  async function make(): Promise<void> {
    clearTimeout(again)
    if (closed || making || !link.connected || link.ending) return
    making = true
    const name = `follow-${nuid.next()}`
    const deliver = link.inbox()
    const subscription = link.nc.subscribe(deliver, { callback: (error, msg) => (error === null ? hear(msg, name) : undefined) })
    consumer = { name, subscription }
    expected = 1
    const fromNewest = options.lastPerSubject === true && takenIn === 0
    const start = fromNewest
      ? { deliver_policy: 'last_per_subject' }
      : takenIn === 0
        ? { deliver_policy: 'all' }
        : { deliver_policy: 'by_start_sequence', opt_start_seq: takenIn + 1 }
    const config = {
      name,
      deliver_subject: deliver,
      ...start,
      filter_subjects: filters,
      ack_policy: 'none',
      max_deliver: 1,
      replay_policy: 'instant',
      flow_control: true,
      idle_heartbeat: heartbeatMs() * NANO,
      inactive_threshold: 30_000 * NANO,
      mem_storage: true,
      num_replicas: 1,
      ...(options.headersOnly ? { headers_only: true } : {}),
    }
    try {
      const made = await apiOrThrow<{ num_pending: number; delivered: { consumer_seq: number } }>(link, `CONSUMER.CREATE.${stream}.${name}`, {
        stream_name: stream,
        config,
        action: 'create',
      })
      heardMs = performance.now()
      if (made.num_pending === 0 && made.delivered.consumer_seq === 0) put({ mark: caughtUp.resolve })
    } catch (error) {
      drop()
      if (error instanceof Infrastructure) again = setTimeout(make, AGAIN_MS)
      else {
        failed = error
        wake?.()
      }
    } finally {
      making = false
    }
    if (closed) drop()
  }

  const watchdog = every(heartbeatMs(), () => {
    if (link.connected && consumer !== null && !making && performance.now() - heardMs > SILENT_BEATS * heartbeatMs()) renew('silence')
  })
  const connection = link.onConnection((connected) => (connected ? renew('new connection') : undefined))
  void link.closed.then(close)
  void make()

  function close() {
    if (closed) return
    closed = true
    watchdog[Symbol.dispose]()
    clearTimeout(again)
    connection[Symbol.dispose]()
    drop()
    wake?.()
  }

  async function* read(): AsyncGenerator<StoredMessage> {
    try {
      while (!closed) {
        if (failed !== null) throw failed
        if (head === queue.length) {
          queue.length = head = 0
          const { promise, resolve } = Promise.withResolvers<void>()
          wake = resolve
          await promise
          wake = null
          continue
        }
        const next = queue[head++] as Queued
        if (head === 1_024) {
          queue.splice(0, head)
          head = 0
        }
        if ('mark' in next) next.mark()
        else {
          handedOut = next.seq
          yield next
        }
      }
    } finally {
      close()
    }
  }

  return {
    caughtUp: caughtUp.promise,
    get lastSeq() {
      return handedOut
    },
    silentMs: () => performance.now() - heardMs,
    close,
    [Symbol.asyncIterator]: read,
  }
}
