import type { Msg } from '@nats-io/nats-core'
import { Infrastructure, InvariantBroken, SERVER } from '../errors.ts'
import { api } from './api.ts'
import { NO_HEADERS, parseHeaderBlock, readHeaders } from './headers.ts'
import type { Link } from './link.ts'
import type { Headers, ScanOptions, StoredMessage } from './types.ts'

type Which = { last_by_subj: string } | { seq: number } | { seq: number; next_by_subj: string }
interface RawMessage {
  readonly message: { readonly subject: string; readonly seq: number; readonly hdrs?: string; readonly data?: string; readonly time: string }
}

/** STREAM.MSG.GET: answered by the leader, so it sees every acked write. */
export async function readAtLeader(link: Link, stream: string, which: Which): Promise<StoredMessage | null> {
  const answer = await api<RawMessage>(link, `STREAM.MSG.GET.${stream}`, which)
  if (answer.kind === 'error') {
    if (answer.error.err_code === SERVER.noMessageFound) return null
    throw new InvariantBroken('jetstream', `reading ${stream}: ${answer.error.description} (${answer.error.err_code})`)
  }
  const { subject, seq, hdrs, data, time } = answer.result.message
  return {
    subject,
    seq,
    at: Date.parse(time),
    body: data === undefined ? new Uint8Array() : Buffer.from(data, 'base64'),
    headers: hdrs === undefined ? NO_HEADERS : parseHeaderBlock(Buffer.from(hdrs, 'base64').toString('latin1')),
  }
}

const encoder = new TextEncoder()

/** Direct Get: any replica answers, and one that lags does not know the newest (10–15 % on three nodes, tried): then the leader is asked. */
export async function fetchSeq(link: Link, stream: string, seq: number): Promise<StoredMessage | null> {
  const msg = await link.insist(`$JS.API.DIRECT.GET.${stream}`, encoder.encode(`{"seq":${seq}}`), 10_000)
  return msg.headers !== undefined && msg.headers.code === 0 ? fromDirect(msg) : readAtLeader(link, stream, { seq })
}

/** The server's own lines about a Direct Get message; what the writer set stays. */
const DIRECT_HEADERS = new Set(['Nats-Stream', 'Nats-Subject', 'Nats-Sequence', 'Nats-Time-Stamp', 'Nats-Num-Pending', 'Nats-Last-Sequence'])

function fromDirect(msg: Msg): StoredMessage {
  const all = readHeaders(msg)
  let own: Record<string, string> | null = null
  for (const key in all) {
    if (DIRECT_HEADERS.has(key)) continue
    own ??= {}
    own[key] = all[key] as string
  }
  return {
    subject: all['Nats-Subject'] as string,
    seq: Number(all['Nats-Sequence']),
    at: Date.parse(all['Nats-Time-Stamp'] as string),
    body: msg.data,
    headers: (own ?? NO_HEADERS) as Headers,
  }
}

const BATCH = 256
const BATCH_BYTES = 1_000_000

/**
 * From any replica, batch by batch, each asked for when the one before is used up. A replica that lags knows a prefix of the stream,
 * so only the tail can be missing: whenever one knows nothing more, the leader says whether that is true.
 */
export async function* scan(link: Link, stream: string, filter: string, options: ScanOptions = {}): AsyncGenerator<StoredMessage> {
  const last = await readAtLeader(link, stream, { last_by_subj: filter })
  let next = options.fromSeq ?? 1
  while (last !== null && next <= last.seq) {
    let batch = await directBatch(link, stream, filter, next)
    if (batch.length === 0) {
      const known = await readAtLeader(link, stream, { seq: next, next_by_subj: filter })
      if (known === null) return
      batch = [known]
    }
    for (const message of batch) {
      if (message.seq > last.seq) return
      yield message
      next = message.seq + 1
    }
  }
}

/** One answer of at most BATCH messages or about BATCH_BYTES; empty when the replica has none, or the connection broke. */
async function directBatch(link: Link, stream: string, filter: string, fromSeq: number): Promise<StoredMessage[]> {
  if (link.ending) throw new Infrastructure('closed', `${stream}: the connection was closed in the middle of a scan`)
  const messages: StoredMessage[] = []
  const done = Promise.withResolvers<'complete' | 'cut'>()
  const inbox = link.inbox()
  const subscription = link.nc.subscribe(inbox, {
    callback: (error, msg) => {
      if (error !== null) return done.reject(new Infrastructure('unavailable', error.message))
      timer.refresh()
      if (msg.data.length === 0 && msg.headers !== undefined && msg.headers.code !== 0) return done.resolve('complete') // 204 end of batch, 404 none
      messages.push(fromDirect(msg))
    },
  })
  const timer = setTimeout(() => done.resolve('cut'), 5_000)
  using _ = link.onConnection((connected) => {
    if (!connected) done.resolve('cut')
  })
  const request = { seq: fromSeq, next_by_subj: filter, batch: BATCH, max_bytes: BATCH_BYTES }
  if (link.connected) link.nc.publish(`$JS.API.DIRECT.GET.${stream}`, encoder.encode(JSON.stringify(request)), { reply: inbox })
  else done.resolve('cut')
  try {
    await done.promise
  } finally {
    clearTimeout(timer)
    if (!link.nc.isClosed()) subscription.unsubscribe()
  }
  return messages
}
