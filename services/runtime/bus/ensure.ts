import { BadConfig, InvariantBroken, SERVER } from '../errors.ts'
import { api, apiOrThrow } from './api.ts'
import type { Link } from './link.ts'
import type { BucketSpec, EnsureOptions, StreamSpec, StreamState } from './types.ts'

const NANO = 1_000_000
/** How long a bucket's mark of a key that went by its TTL stays, so that a watcher that was away hears of it. */
const MARK_MS = 3_600_000
/** NOTE: not 0, which means the server's default of 2 min and its memory for every message id. */
const SHORTEST_DUPLICATE_WINDOW_MS = 100

type StreamConfig = Readonly<Record<string, unknown>> & { readonly name: string }

export function streamConfig(spec: StreamSpec, replicas: number): StreamConfig {
  return {
    name: spec.name,
    subjects: spec.subjects,
    retention: spec.retention,
    discard: spec.discard,
    max_age: spec.maxAgeMs * NANO,
    max_bytes: spec.maxBytes <= 0 ? -1 : spec.maxBytes,
    duplicate_window: spec.duplicateWindowMs * NANO,
    storage: 'file',
    num_replicas: replicas,
    allow_direct: spec.direct,
    allow_atomic: spec.atomic,
    allow_msg_schedules: spec.schedules,
    allow_rollup_hdrs: spec.rollup,
    allow_msg_ttl: spec.ttl,
  }
}

function bucketConfig(spec: BucketSpec, replicas: number): StreamConfig {
  return {
    name: `KV_${spec.name}`,
    subjects: [`$KV.${spec.name}.>`],
    retention: 'limits',
    discard: 'new',
    max_msgs_per_subject: 1, // history 2 stored for 60 s what was to live 5 (tried)
    max_age: 0,
    max_bytes: -1,
    duplicate_window: SHORTEST_DUPLICATE_WINDOW_MS * NANO,
    storage: 'file',
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_msg_ttl: true, // in every bucket: the mark of a removal has one too
    subject_delete_marker_ttl: MARK_MS * NANO,
  }
}

function objectConfig(name: string, replicas: number): StreamConfig {
  return {
    name: `OBJ_${name}`,
    subjects: [`$O.${name}.C.>`, `$O.${name}.M.>`],
    retention: 'limits',
    discard: 'new',
    max_age: 0,
    max_bytes: -1,
    duplicate_window: SHORTEST_DUPLICATE_WINDOW_MS * NANO,
    storage: 'file',
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
  }
}

type Made = 'made' | 'is-there' | 'no-room'

/** One try. The same name with the same configuration counts as made, so that many starters succeed together. */
async function make(link: Link, verb: 'CREATE' | 'UPDATE', config: StreamConfig): Promise<Made> {
  const answer = await api(link, `STREAM.${verb}.${config.name}`, config)
  if (answer.kind === 'done') return 'made'
  if (answer.error.err_code === SERVER.storageExceeded) return 'no-room'
  if (answer.error.err_code === SERVER.streamNameInUse) return 'is-there'
  throw new InvariantBroken('jetstream', `making ${config.name}: ${answer.error.description} (${answer.error.err_code})`)
}

/** What the stream is allowed now; null when it is not there. */
async function standingBytes(link: Link, name: string): Promise<number | null> {
  const answer = await api<{ config: { max_bytes: number } }>(link, `STREAM.INFO.${name}`, undefined)
  return answer.kind === 'done' ? answer.result.config.max_bytes : null
}

async function ensure(link: Link, config: StreamConfig): Promise<void> {
  if ((await make(link, 'CREATE', config)) === 'is-there') await make(link, 'UPDATE', config)
}

/** No stream is worth having that holds less than a few messages of 8 MB. */
const LEAST_BYTES = 64 * 1024 ** 2

/**
 * NOTE: the server sets `maxBytes` aside whether it is used or not, and refuses when its disk has less: so on a small machine a new stream
 * is halved until it fits, and a standing one keeps what it has.
 */
async function ensureStream(link: Link, spec: StreamSpec, replicas: number): Promise<void> {
  const standing = await standingBytes(link, spec.name)
  if (standing !== null) {
    if ((await make(link, 'UPDATE', streamConfig(spec, replicas))) === 'made') return
    link.log.warn('stream-smaller', { stream: spec.name, wantedBytes: spec.maxBytes, gotBytes: standing })
    await make(link, 'UPDATE', streamConfig({ ...spec, maxBytes: standing }, replicas))
    return
  }
  for (let maxBytes = spec.maxBytes; ; maxBytes = Math.floor(maxBytes / 2)) {
    const made = await make(link, 'CREATE', streamConfig({ ...spec, maxBytes }, replicas))
    if (made === 'is-there') return ensureStream(link, spec, replicas) // somebody was faster
    if (made === 'made') {
      if (maxBytes !== spec.maxBytes) link.log.warn('stream-smaller', { stream: spec.name, wantedBytes: spec.maxBytes, gotBytes: maxBytes })
      return
    }
    if (maxBytes / 2 < LEAST_BYTES)
      throw new BadConfig(`NATS has no room for stream ${spec.name}: not even ${maxBytes} bytes; give JetStream a larger max_file_store`)
  }
}

export async function ensureStreams(link: Link, specs: readonly StreamSpec[], options: EnsureOptions = {}): Promise<void> {
  for (const spec of specs) await ensureStream(link, spec, options.replicas ?? 1)
}

export async function ensureBuckets(link: Link, specs: readonly BucketSpec[], options: EnsureOptions = {}): Promise<void> {
  for (const spec of specs) await ensure(link, bucketConfig(spec, options.replicas ?? 1))
}

export async function ensureObjectBucket(link: Link, name: string, options: EnsureOptions = {}): Promise<void> {
  await ensure(link, objectConfig(name, options.replicas ?? 1))
}

/** True when there was such a message. */
export async function remove(link: Link, stream: string, seq: number): Promise<boolean> {
  // no_erase: the bytes go with their block; overwriting each message with noise would cost a write per removal
  const answer = await api(link, `STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true })
  if (answer.kind === 'done') return true
  if (answer.error.err_code === SERVER.noMessageFound || answer.error.err_code === SERVER.sequenceNotFound || answer.error.err_code === SERVER.deleteFailed)
    return false
  throw new InvariantBroken('jetstream', `removing ${stream}/${seq}: ${answer.error.description} (${answer.error.err_code})`)
}

export async function purge(link: Link, stream: string, subject: string, options: { readonly upToSeq?: number } = {}): Promise<number> {
  const request = options.upToSeq === undefined ? { filter: subject } : { filter: subject, seq: options.upToSeq + 1 } // the server's `seq` is the first that stays
  return (await apiOrThrow<{ purged: number }>(link, `STREAM.PURGE.${stream}`, request)).purged
}

export async function dropConsumer(link: Link, stream: string, durable: string): Promise<boolean> {
  const answer = await api(link, `CONSUMER.DELETE.${stream}.${durable}`, undefined)
  if (answer.kind === 'done') return true
  if (answer.error.err_code === SERVER.consumerNotFound) return false
  throw new InvariantBroken('jetstream', `dropping ${stream}/${durable}: ${answer.error.description} (${answer.error.err_code})`)
}

export async function hasStream(link: Link, stream: string): Promise<boolean> {
  return (await standingBytes(link, stream)) !== null
}

export async function streamState(link: Link, stream: string): Promise<StreamState> {
  const { state } = await apiOrThrow<{ state: { messages: number; bytes: number; first_seq: number; last_seq: number } }>(
    link,
    `STREAM.INFO.${stream}`,
    undefined,
  )
  return { messages: state.messages, bytes: state.bytes, firstSeq: state.first_seq, lastSeq: state.last_seq }
}

/** Of the account. NOTE: a limit of −1 is "none set"; then the server's own `max_file_store` decides and is not told here. */
export async function storeUse(link: Link): Promise<{ usedBytes: number; allowedBytes: number }> {
  const account = await apiOrThrow<{ storage: number; limits: { max_storage: number } }>(link, 'INFO', undefined)
  return { usedBytes: account.storage, allowedBytes: Math.max(0, account.limits.max_storage) }
}
