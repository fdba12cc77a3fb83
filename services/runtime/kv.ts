import type { Bus, FollowOptions, StoredMessage, StoreOptions } from './bus/types.ts'
import { InvariantBroken, isStale } from './errors.ts'

export interface Kept {
  readonly value: Uint8Array
  /** sequence of the write; compare-and-set expects it */
  readonly revision: number
}
export interface BucketEntry {
  readonly key: string
  /** null = removed or expired */
  readonly value: Uint8Array | null
  readonly revision: number
}
export interface WriteOptions {
  /** seconds until the key goes by itself; NOTE: each write decides anew, one without it makes the key stay */
  readonly ttlS?: number
  readonly timeoutMs?: number
}

export interface Watch {
  /** once every key that was there has been told */
  readonly caughtUp: Promise<void>
  /** ms since the server was last heard (a heartbeat comes each second to an attentive watch and where servers are several, else each thirty); Infinity before the first */
  silentMs(): number
  close(): void
}

/** A key-value bucket. Reads ask the leader, so they see every acked write; all throw Infrastructure when the server cannot be asked. */
export interface Bucket {
  readonly name: string
  get(key: string): Promise<Kept | null>
  /** the new revision */
  put(key: string, value: Uint8Array, options?: WriteOptions): Promise<number>
  /** the new revision, or null when the key is there */
  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<number | null>
  /** the new revision, or null when `revision` is not the key's last */
  update(key: string, value: Uint8Array, revision: number, options?: WriteOptions): Promise<number | null>
  /** false when `revision` was given and is not the key's last */
  remove(key: string, revision?: number): Promise<boolean>
  keys(filter?: string): Promise<string[]>
  /** every key of the filters as it stands, then every change; after a reconnect all is read again and what vanished meanwhile is told as removed */
  watch(filters: string | readonly string[], onEntry: (entry: BucketEntry) => void, options?: WatchOptions): Watch
}

export type WatchOptions = Pick<FollowOptions, 'attentive'>

/** How long the server keeps the mark of a removal, so that a watcher that was away hears of it. */
const MARK_TTL_S = 3_600

export function openBucket(bus: Bus, name: string): Bucket {
  const stream = `KV_${name}`
  const prefix = `$KV.${name}.`

  const write = async (key: string, value: Uint8Array, options: StoreOptions & WriteOptions): Promise<number | null> => {
    const stored = await bus.store(prefix + key, value, options)
    if (stored.kind === 'stored') return stored.seq
    if (isStale(stored)) return null
    throw new InvariantBroken('bucket', `writing ${name}/${key} was refused (${stored.code}): ${stored.message}`)
  }

  return {
    name,
    async get(key) {
      const last = await bus.readLast(stream, prefix + key)
      return last === null || isMark(last) ? null : { value: last.body, revision: last.seq }
    },
    async put(key, value, options = {}) {
      return (await write(key, value, options)) as number // without an expectation nothing can be stale
    },
    async create(key, value, options = {}) {
      const revision = await write(key, value, { ...options, expect: { seq: 0 } })
      if (revision !== null) return revision
      // a removed key leaves a mark, which counts as its last revision
      const last = await bus.readLast(stream, prefix + key)
      if (last !== null && !isMark(last)) return null
      return write(key, value, { ...options, expect: { seq: last?.seq ?? 0 } })
    },
    update: (key, value, revision, options = {}) => write(key, value, { ...options, expect: { seq: revision } }),
    async remove(key, revision) {
      const headers = { 'KV-Operation': 'PURGE' }
      const options = { headers, rollup: true, ttlS: MARK_TTL_S, ...(revision === undefined ? {} : { expect: { seq: revision } }) }
      return (await write(key, new Uint8Array(), options)) !== null
    },
    async keys(filter = '>') {
      const keys: string[] = []
      for await (const message of bus.scan(stream, prefix + filter)) if (!isMark(message)) keys.push(message.subject.slice(prefix.length))
      return keys
    },
    watch: (filters, onEntry, options) =>
      startWatch(
        bus,
        stream,
        [filters].flat().map((filter) => prefix + filter),
        (message) => onEntry({ key: message.subject.slice(prefix.length), value: isMark(message) ? null : message.body, revision: message.seq }),
        options,
      ),
  }
}

/** Removed by us or another client (`KV-Operation`), or by the server when its time was over (`Nats-Marker-Reason`). */
function isMark(message: StoredMessage): boolean {
  return 'KV-Operation' in message.headers || 'Nats-Marker-Reason' in message.headers
}

function startWatch(bus: Bus, stream: string, subjects: readonly string[], tell: (message: StoredMessage) => void, options: WatchOptions = {}): Watch {
  const known = new Map<string, number>() // subject → revision last told
  const first = Promise.withResolvers<void>()
  let round = 0
  let follow = begin()
  const connection = bus.onConnection((connected) => {
    if (!connected) return
    follow.close()
    follow = begin()
  })

  function begin() {
    const mine = ++round
    let seen: Set<string> | null = new Set() // until the first pass is over
    const current = bus.follow(stream, subjects, { lastPerSubject: true, ...options })
    const read = async () => {
      for await (const message of current) {
        seen?.add(message.subject)
        if (message.seq <= (known.get(message.subject) ?? 0)) continue
        known.set(message.subject, message.seq)
        tell(message)
      }
    }
    void read()
    void current.caughtUp.then(() => {
      if (mine !== round) return
      for (const [subject, revision] of known) {
        if (seen?.has(subject)) continue
        known.delete(subject)
        tell({ subject, body: new Uint8Array(), headers: { 'KV-Operation': 'PURGE' }, seq: revision, at: 0 })
      }
      seen = null
      first.resolve()
    })
    return current
  }

  return {
    caughtUp: first.promise,
    silentMs: () => follow.silentMs(),
    close() {
      round++
      connection[Symbol.dispose]()
      follow.close()
    },
  }
}
