/**
 * pull: work taken from a durable consumer, never more of it than was asked for.
 *
 * OWNS       the demand: `wanted` (what the actor can place) and `asked` (what the server still owes us)
 * INVARIANT  asked ≤ wanted when a pull leaves; a pull that ended early gives its rest back, a new connection or a silence all of it
 * ON CRASH   what was handed out and not acked comes again after ack_wait; at once where the state was the server's memory and the server is what crashed
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Msg } from '@nats-io/nats-core'
import { Infrastructure, InvariantBroken } from '../errors.ts'
import { api, isKeptElsewhere } from './api.ts'
import { readDelivered } from './delivered.ts'
import { dropConsumer } from './ensure.ts'
import { readHeaders } from './headers.ts'
import type { Link } from './link.ts'
import { every, nextBeat } from '../wheel.ts'
import type { Delivery, Puller, PullSpec } from './types.ts'

const NANO = 1_000_000
/**
 * A pull lives so long: what was asked before `want(0)` may still come for that time. Of several servers the one that serves it can die alone, so it says
 * that it lives; a single one cannot without our connection, and two hundred consumers that tell of nothing cost half of an idle cluster's CPU.
 */
const PACE = {
  clustered: { expiresMs: 10_000, heartbeatMs: 3_000, silenceMs: 9_000 },
  single: { expiresMs: 60_000, heartbeatMs: null, silenceMs: 150_000 },
} as const
const AGAIN_MS = 250
/** a server that does not answer within it has nothing on its way to us, or is gone */
const LAST_WORDS_MS = 2_000
const QUIET_MS = 50
const encoder = new TextEncoder()

export async function pull(link: Link, spec: PullSpec, onMessage: (delivery: Delivery) => void): Promise<Puller> {
  const { stream, durable } = spec
  let wanted = 0
  let asked = 0
  let behind = 0
  let heard = 0
  let ended = false
  let soon = false
  let heardMs = performance.now()
  let nextPull = 0
  let again: NodeJS.Timeout | undefined
  let mending = false
  const inbox = `${link.inbox()}.`
  const pace = () => PACE[link.clustered ? 'clustered' : 'single']

  const create = async (): Promise<{ readonly num_pending: number }> => {
    const answer = await api<{ num_pending: number }>(link, `CONSUMER.CREATE.${stream}.${durable}`, {
      stream_name: stream,
      config: {
        durable_name: durable,
        name: durable,
        deliver_policy: 'all',
        ack_policy: 'explicit',
        ack_wait: spec.ackWaitMs * NANO,
        max_ack_pending: spec.maxAckPending,
        max_deliver: -1,
        replay_policy: 'instant',
        filter_subjects: [spec.filter].flat(),
        ...(spec.inactiveMs === undefined ? {} : { inactive_threshold: spec.inactiveMs * NANO }),
        ...(spec.state === 'memory' && { mem_storage: true }),
      },
    })
    if (answer.kind === 'done') return answer.result
    const { err_code, description } = answer.error
    if (!isKeptElsewhere(answer.error)) throw new InvariantBroken('jetstream', `consumer ${stream}/${durable}: ${description} (${err_code})`)
    // An older version kept it on disk. What was in somebody's hands comes again, as after a restart.
    await dropConsumer(link, stream, durable)
    return create()
  }

  /** Demand that grows many times within one turn leaves as one pull. */
  const askSoon = () => {
    if (soon || ended) return
    soon = true
    queueMicrotask(() => {
      soon = false
      ask()
    })
  }

  const ask = () => {
    const batch = wanted - asked
    if (batch <= 0 || ended || mending || !link.connected || link.ending) return
    if (asked === 0) heardMs = performance.now()
    asked += batch
    const { expiresMs, heartbeatMs } = pace()
    const request = JSON.stringify({ batch, expires: lifeOf(expiresMs) * NANO, ...(heartbeatMs !== null && { idle_heartbeat: heartbeatMs * NANO }) })
    link.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, encoder.encode(request), { reply: inbox + nextPull++ })
  }

  const hear = (msg: Msg) => {
    heardMs = performance.now()
    if (msg.headers !== undefined && msg.headers.code !== 0 && msg.data.length === 0) return hearStatus(msg)
    const { seq, at, deliveries, pending } = readDelivered(msg)
    wanted = Math.max(0, wanted - 1)
    asked = Math.max(0, asked - 1)
    behind = pending
    heard++
    onMessage({ subject: msg.subject, body: msg.data, headers: readHeaders(msg), seq, at, deliveries, ackSubject: msg.reply as string })
  }

  const hearStatus = (msg: Msg) => {
    const code = msg.headers?.code
    if (code === 100) return // heartbeat
    const rest = Number(msg.headers?.get('Nats-Pending-Messages') || 0)
    asked = Math.max(0, asked - rest)
    const description = msg.headers?.description ?? ''
    // 408 a pull ran out · 409 leadership changed, consumer deleted, … · 404 none · 503 nobody: there is no such consumer (any more)
    if (code === 408 || code === 404) return askSoon()
    link.log.debug('pull-ended', { stream, durable, code, because: description })
    asked = 0
    if (code === 503 || /deleted/i.test(description)) void mend()
    else if (!ended) again = setTimeout(ask, AGAIN_MS)
  }

  /** The consumer is gone (inactive too long, or the server lost it): make it anew, then go on asking. */
  async function mend(): Promise<void> {
    if (mending || ended) return
    mending = true
    asked = 0
    try {
      await create()
      mending = false
      ask()
    } catch (error) {
      mending = false
      if (!(error instanceof Infrastructure)) throw error
      again = setTimeout(mend, AGAIN_MS)
    }
  }

  /**
   * While the server owes us and has something, it is on its way, unless the consumer's window is full: then nothing comes for a while.
   * NOTE: to leave and drain, or to wait for a round trip that brings nothing, loses what the server has counted as delivered and not yet sent (tried: up to
   * 1,989 of 2,000).
   */
  async function lastWords(): Promise<void> {
    for (let before = -1; asked > 0 && behind > 0 && before !== heard; ) {
      before = heard
      await pause(QUIET_MS, undefined, { ref: false })
    }
    await link.nc.flush()
  }

  behind = (await create()).num_pending
  const subscription = link.nc.subscribe(`${inbox}*`, { callback: (error, msg) => (error === null ? hear(msg) : undefined) })
  const connection = link.onConnection((connected) => {
    asked = 0
    if (connected) ask()
  })
  const watchdog = every(pace().silenceMs / 3, () => {
    if (asked === 0 || !link.connected || performance.now() - heardMs < pace().silenceMs) return
    heardMs = performance.now()
    void mend()
  })

  return {
    want(n) {
      wanted = Math.max(0, n)
      askSoon()
    },
    pending: () => behind,
    async [Symbol.asyncDispose]() {
      ended = true
      watchdog[Symbol.dispose]()
      clearTimeout(again)
      connection[Symbol.dispose]()
      if (link.nc.isClosed()) return
      // What is on its way at this moment still comes to `onMessage`: left unheard, it would stand for an ack_wait before the next holder had it.
      if (link.connected && !link.ending) await Promise.race([lastWords().catch(() => {}), pause(LAST_WORDS_MS, undefined, { ref: false })])
      subscription.unsubscribe()
    },
  }
}

/** Half a life at least, and all pulls of a process end in one moment: hundreds that nothing came for are renewed in one wake-up. */
function lifeOf(expiresMs: number): number {
  const now = performance.now()
  return Math.ceil(nextBeat(now + expiresMs / 2, expiresMs) - now)
}
