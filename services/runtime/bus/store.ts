import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { type Msg, nuid } from '@nats-io/nats-core'
import { Infrastructure, InvariantBroken, isBusy, isFull, RETRY_PACE_MS } from '../errors.ts'
import { storeHeaders } from './headers.ts'
import type { Link } from './link.ts'
import type { Entry, Refused, Stored, StoredAll, StoreOptions } from './types.ts'

const TIMEOUT_MS = 5_000
/** The limit for one atomic batch of a server that Hato configures (scripts/nats-config); by itself a server takes 1,000. */
const MAX_ENTRIES = 16_000
/** some 5 ms */
const ENTRIES_A_TURN = 500
/** Open batches last milliseconds. */
const AGAIN_MS = 20

/** Publish and wait for the stream's word. Pipelines: any number may be under way. */
export async function store(link: Link, subject: string, body: Uint8Array, options: StoreOptions = {}): Promise<Stored> {
  const headers = storeHeaders(options)
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  let leftMs = timeoutMs
  for (;;) {
    const reply = await link.request(subject, body, headers, timeoutMs)
    switch (reply.kind) {
      case 'reply':
        return readAck(reply.msg, subject)
      case 'nobody': // no stream has this subject, or it is between two leaders: nothing was stored, so asking again is safe
        leftMs -= RETRY_PACE_MS['no-leader']
        if (leftMs <= 0) throw new Infrastructure('no-leader', `${subject}: no stream takes it`)
        await pause(RETRY_PACE_MS['no-leader'])
        break
      default:
        throw new Infrastructure(reply.kind, `${subject}: ${reply.kind} before the stream's answer`)
    }
  }
}

/**
 * One atomic batch. When the server has too many open, or lost the beginning in a change of leader, nothing was stored and it is said again.
 */
export async function storeAll(link: Link, entries: readonly Entry[]): Promise<StoredAll> {
  if (entries.length === 0 || entries.length > MAX_ENTRIES) throw new InvariantBroken('batch', `${entries.length} entries, a batch has 1 to ${MAX_ENTRIES}`)
  const deadlineMs = performance.now() + TIMEOUT_MS
  for (;;) {
    const batchId = nuid.next()
    if (!(await link.up(deadlineMs - performance.now())) || link.ending) return { kind: 'unknown', because: 'no connection', batchId }
    const stored = await sayBatch(link, entries, batchId)
    if (stored.kind !== 'refused' || !isBusy(stored) || performance.now() >= deadlineMs) return stored
    await pause(AGAIN_MS)
  }
}

/**
 * By the headers of ADR-50 themselves: NATS.js 3.4.0 passes no option but `headers` after the first message and hides the server's error codes.
 * The last message's answer is the batch's. A long batch leaves in several turns, so that this process hears and says other things meanwhile.
 */
async function sayBatch(link: Link, entries: readonly Entry[], batchId: string): Promise<StoredAll> {
  const last = entries.length - 1
  const headersOf = (entry: Entry, at: number) =>
    storeHeaders(entry, { 'Nats-Batch-Id': batchId, 'Nats-Batch-Sequence': String(at + 1), ...(at === last ? { 'Nats-Batch-Commit': '1' } : {}) })
  const ask = (at: number) => {
    const entry = entries[at] as Entry
    return link.request(entry.subject, entry.body, headersOf(entry, at), TIMEOUT_MS)
  }
  const opened = last > 0 ? ask(0) : null // its answer says whether the server opened the batch
  for (let at = 1; at < last; at++) {
    const entry = entries[at] as Entry
    const headers = headersOf(entry, at)
    link.nc.publish(entry.subject, entry.body, headers === null ? {} : { headers })
    if (at % ENTRIES_A_TURN === 0) await turn()
  }
  const reply = await ask(last)
  if (reply.kind !== 'reply') return { kind: 'unknown', because: reply.kind, batchId }
  const committed = readBatchAck(reply.msg, batchId)
  if (committed.kind !== 'refused' || opened === null) return committed
  // "Incomplete batch" is what the commit says when the opening was refused; the reason stands in the first answer.
  const opening = await opened
  if (opening.kind !== 'reply' || opening.msg.data.length === 0) return committed
  const { error } = opening.msg.json<Ack>()
  return error === undefined ? committed : refused(error)
}

interface Ack {
  readonly seq?: number
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string }
}

function readAck(msg: Msg, subject: string): Stored {
  const { seq, error } = msg.json<Ack>()
  if (error === undefined) return { kind: 'stored', seq: seq as number }
  if (isServers(error)) throw new Infrastructure('unavailable', `${subject}: ${error.description} (${error.err_code})`)
  return refused(error)
}

function readBatchAck(msg: Msg, batchId: string): StoredAll {
  const { seq, error } = msg.json<Ack>()
  if (error === undefined) return { kind: 'stored', lastSeq: seq as number, batchId }
  return isServers(error) ? { kind: 'unknown', because: error.description, batchId } : refused(error)
}

/** The server is in no state to store anything (5xx: no quorum, no disk; its store is full, a 400), or does not want this message? */
function isServers(error: NonNullable<Ack['error']>): boolean {
  return error.code >= 500 || isFull({ code: error.err_code })
}

function refused(error: NonNullable<Ack['error']>): Refused {
  return { kind: 'refused', code: error.err_code, message: error.description }
}
