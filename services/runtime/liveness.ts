/**
 * liveness: a process says "I am here" and knows until when others must believe it.
 *
 * OWNS       the key `node.<role>.<id>` of the owners bucket: TTL 3 s (12 s with three replicas), written anew each third of it
 * INVARIANT  S3: `mayGrant()` is false before the server can have let the key go: it counts from the moment the last confirmed
 *            refresh *began*, on this process's monotonic clock
 * ON CRASH   the key goes by itself after its TTL, or at once when a supervisor that saw the exit calls `purgeNode`
 * NOT HERE   who owns what (ownership.ts)
 */
import { randomUUID } from 'node:crypto'
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { MonoMs } from '../../protocol/words.ts'
import type { Clock } from './clock.ts'
import { Infrastructure } from './errors.ts'
import type { Bucket } from './kv.ts'
import type { Log } from './log.ts'
import { every } from './wheel.ts'

/** What the key holds. `leaving`: still owns, but takes nothing more. */
export interface NodeRecord {
  readonly incarnation: string
  readonly leaving: boolean
}

export interface LivenessOptions {
  readonly bucket: Bucket
  readonly role: string
  readonly nodeId: string
  /** whole seconds in milliseconds, ≥ 1 s (the server's grain) */
  readonly ttlMs: number
  readonly clock: Clock
  readonly log: Log
  /** the key was gone or another's: whatever was owned under it may have a new owner */
  onDead(): void
  /** registered, at first or again */
  onAlive(): void
}

export interface Liveness {
  mayGrant(): boolean
  /** from now on a candidate for nothing */
  leave(): Promise<void>
  /** stops refreshing and takes the key away */
  end(): Promise<void>
}

export async function keepAlive(options: LivenessOptions): Promise<Liveness> {
  const { bucket, ttlMs, clock, log } = options
  const key = KEYS.node(options.role, options.nodeId)
  const everyMs = ttlMs / 3
  const write = { ttlS: ttlMs / 1_000, timeoutMs: everyMs }
  let record: NodeRecord = { incarnation: randomUUID(), leaving: false }
  let revision = 0
  let confirmedBeganMs: MonoMs = Number.NEGATIVE_INFINITY
  let ended = false
  let busy = false
  let retry: NodeJS.Timeout | undefined
  let underWay: Promise<void> = Promise.resolve()

  const confirm = (newRevision: number, began: MonoMs) => {
    revision = newRevision
    confirmedBeganMs = began
  }

  /** Whatever stands under our name is a former life of ours or of our predecessor: replacing it fences that one. */
  const register = async () => {
    const standing = await bucket.get(key)
    const began = clock.mono()
    const written = standing === null ? await bucket.create(key, encode(record), write) : await bucket.update(key, encode(record), standing.revision, write)
    if (written === null) throw new Infrastructure('unavailable', `${key} is being written by another process`)
    confirm(written, began)
    options.onAlive()
  }

  const refresh = async (): Promise<void> => {
    if (revision === 0) return register()
    const began = clock.mono()
    const written = await bucket.update(key, encode(record), revision, write)
    if (written !== null) return confirm(written, began)
    // "Wrong last sequence" may be our own write whose answer was lost: ask the leader before giving up (design §6).
    const standing = await bucket.get(key)
    if (standing !== null && decode<NodeRecord>(standing.value).incarnation === record.incarnation) {
      revision = standing.revision
      return refresh()
    }
    log.warn('node-key-lost', { key, because: standing === null ? 'expired or purged' : 'written by another process of this name' })
    revision = 0
    confirmedBeganMs = Number.NEGATIVE_INFINITY
    options.onDead()
    return register()
  }

  const turn = () => {
    clearTimeout(retry)
    busy = true
    underWay = underWay.then(async () => {
      if (ended) return
      try {
        await refresh()
      } catch (error) {
        if (!(error instanceof Infrastructure)) throw error
        log.debug('node-refresh-failed', { key, because: error.message })
        if (!ended) retry = setTimeout(turn, Math.min(everyMs, 250)) // soon: within the TTL there is time for a few tries
      } finally {
        busy = false
      }
    })
    return underWay
  }

  await turn()
  const refreshing = every(everyMs, () => {
    if (!busy) void turn()
  })
  return {
    mayGrant: () => !ended && clock.mono() - confirmedBeganMs < ttlMs,
    leave() {
      record = { ...record, leaving: true }
      return turn()
    },
    async end() {
      ended = true
      refreshing[Symbol.dispose]()
      clearTimeout(retry)
      await underWay
      if (revision !== 0) await bucket.remove(key, revision)
    },
  }
}

/** Does its key stand, at the leader? */
export async function isNodeAlive(bucket: Bucket, role: string, nodeId: string): Promise<boolean> {
  return (await bucket.get(KEYS.node(role, nodeId))) !== null
}

/** For the supervisor that saw a child exit: its shards are free at once instead of after the TTL. */
export async function purgeNode(bucket: Bucket, role: string, nodeId: string): Promise<void> {
  const key = KEYS.node(role, nodeId)
  if ((await bucket.get(key)) !== null) await bucket.remove(key)
}
