/**
 * ownership: each shard of a role has at most one owner, and every change of owner grows its epoch.
 *
 * OWNS       `<role>.<shard>` of the owners bucket: value `{ owner }`, no TTL, changed by compare-and-set only; epoch = revision of that write
 * HEARS      the bucket: `node.<role>.*` (who lives) and `<role>.*` (who owns)
 * SAYS       onGained(shard, epoch), onLost(shard, why)
 * INVARIANT  S3 one owner: taken only when the row names nobody, ourselves of a former life, or a node whose key is gone *at the leader*;
 *            the compare-and-set lets one of two takers win
 * ON CRASH   the node key goes (TTL or `purgeNode`), the one whom rendezvous names takes over under a new epoch
 * NOT HERE   leases, adoption, drains: the actor's, in onGained and onLost
 */
import { KEYS } from '../../protocol/buckets.ts'
import { encode } from '../../protocol/codec.ts'
import type { MonoMs } from '../../protocol/words.ts'
import type { Clock } from './clock.ts'
import { Infrastructure } from './errors.ts'
import type { Bucket } from './kv.ts'
import { keepAlive } from './liveness.ts'
import type { Log } from './log.ts'
import { type OwnerRow, watchOwners } from './owners.ts'
import { rendezvous } from './rendezvous.ts'

export { purgeNode } from './liveness.ts'
export { watchOwners } from './owners.ts'

/** taken: the row names another · dead: our node key was gone · given: another should own it · stopping: we end */
export type LostBecause = 'taken' | 'dead' | 'given' | 'stopping'

export interface OwnershipOptions {
  readonly bucket: Bucket
  readonly role: string
  /** unique for each start of a process */
  readonly nodeId: string
  readonly shards: readonly string[]
  readonly clock: Clock
  readonly log: Log
  /** life of the node key: 3 s; 12 s with three replicas. Whole seconds */
  readonly ttlMs?: number
  /** how long a newcomer must have lived before shards are given to it */
  readonly rebalanceAfterMs?: number
  /** how long onLost may take before the shard is released all the same */
  readonly releaseWithinMs?: number
  onGained(shard: string, epoch: number): void
  /** From here on nothing may be granted for the shard. When it is 'given' or 'stopping', the release waits for the promise. */
  onLost(shard: string, because: LostBecause): void | Promise<void>
}

export interface Ownership extends AsyncDisposable {
  /** our epoch, null when the shard is not ours */
  epochOf(shard: string): number | null
  held(): ReadonlyMap<string, number>
  /** resolves when somebody who lives owns the shard, we or another */
  untilOwned(shard: string): Promise<void>
  /** Ask before each grant and renewal: owned *and* our node key surely still stands. */
  mayGrant(shard: string): boolean
  /** sites with a shard of their own come and go with the fleet document */
  setShards(shards: readonly string[]): void
}

const DEFAULTS = { ttlMs: 3_000, rebalanceAfterMs: 1_500, releaseWithinMs: 5_000 } as const
/** A node that starts with others lets them appear before it takes everything that is free. */
const GATHER_MS = 300
/** What is not as it should be (a write that failed, a newcomer's first moments, a key that goes) is looked at again after so long; else only what is heard is a reason. */
const LOOK_MS = 500

export async function own(options: OwnershipOptions): Promise<Ownership> {
  const { bucket, role, nodeId, clock, log } = options
  const { ttlMs, rebalanceAfterMs, releaseWithinMs } = { ...DEFAULTS, ...options }
  let shards = options.shards
  const held = new Map<string, number>()
  const firstSeenMs = new Map<string, MonoMs>()
  let stopping = false
  let alive = false
  let looking: Promise<void> | null = null
  let again = false
  let timer: NodeJS.Timeout | undefined
  const gatheredAtMs = clock.mono() + GATHER_MS
  /** who waits for an owner looks whenever rows or nodes change */
  const awaiting = new Set<() => void>()

  const owners = watchOwners(bucket, role, (shard, row) => {
    const epoch = shard === null ? undefined : held.get(shard)
    if (shard !== null && epoch !== undefined && row !== null && row.epoch > epoch) void lose(shard, 'taken')
    look()
    for (const see of [...awaiting]) see()
  })
  await owners.ready

  const liveness = await keepAlive({
    bucket,
    role,
    nodeId,
    ttlMs,
    clock,
    log,
    onDead() {
      alive = false
      for (const shard of [...held.keys()]) void lose(shard, 'dead')
    },
    onAlive() {
      alive = true
      look()
    },
  })

  function lose(shard: string, because: LostBecause): void | Promise<void> {
    const epoch = held.get(shard)
    held.delete(shard)
    log.info('shard-lost', { shard, epoch, because })
    return options.onLost(shard, because)
  }

  /** Free, left over from a former life of ours, or of a node that is gone at the leader. */
  async function mayTake(row: OwnerRow | null): Promise<boolean> {
    if (row === null || row.owner === null || row.owner === nodeId) return true
    if (owners.nodes().has(row.owner)) return false
    return (await bucket.get(KEYS.node(role, row.owner))) === null
  }

  async function take(shard: string): Promise<void> {
    const row = owners.ownerOf(shard)
    if (!(await mayTake(row))) return
    const value = encode({ owner: nodeId })
    const key = KEYS.owner(role, shard)
    const epoch = row === null ? await bucket.create(key, value) : await bucket.update(key, value, row.epoch)
    if (epoch === null) return // somebody was faster; the watch tells who
    if (!alive || stopping) return release(shard, epoch) // what changed while the write was under way
    held.set(shard, epoch)
    log.info('shard-gained', { shard, epoch, before: row?.owner ?? null })
    options.onGained(shard, epoch)
  }

  async function release(shard: string, epoch: number): Promise<void> {
    await bucket.update(KEYS.owner(role, shard), encode({ owner: null }), epoch)
  }

  async function give(shard: string, because: 'given' | 'stopping'): Promise<void> {
    const epoch = held.get(shard)
    if (epoch === undefined) return
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, releaseWithinMs)
    await Promise.race([lose(shard, because), limit.promise])
    clearTimeout(timer)
    await release(shard, epoch)
  }

  /** One pass over all shards: take what should be ours, give what should be another's. Is everything where it should be? */
  async function settle(): Promise<boolean> {
    const now = clock.mono()
    const nodes = owners.nodes()
    for (const node of firstSeenMs.keys()) if (!nodes.has(node)) firstSeenMs.delete(node)
    for (const node of nodes.keys()) if (!firstSeenMs.has(node)) firstSeenMs.set(node, now)
    const candidates = [...nodes].filter(([id, node]) => !node.leaving && id !== nodeId).map(([id]) => id)
    candidates.push(nodeId)
    const work: Promise<void>[] = []
    const ours = new Set<string>()
    for (const shard of new Set([...shards, ...held.keys()])) {
      const should = shards.includes(shard) ? (rendezvous(shard, candidates) as string) : null
      if (should === nodeId) ours.add(shard)
      if (held.has(shard)) {
        if (should === null || (should !== nodeId && now - (firstSeenMs.get(should) ?? now) >= rebalanceAfterMs)) work.push(give(shard, 'given'))
      } else if (should === nodeId && alive) work.push(take(shard))
    }
    const results = await Promise.allSettled(work)
    for (const result of results) {
      if (result.status === 'fulfilled') continue
      if (!(result.reason instanceof Infrastructure)) throw result.reason
      log.debug('ownership-delayed', { because: result.reason.message }) // the next look tries again
    }
    return ours.size === held.size && [...ours].every((shard) => held.has(shard))
  }

  /** At most one pass at a time; what changes meanwhile brings another. */
  function look(): void {
    if (stopping || clock.mono() < gatheredAtMs) return
    if (looking !== null) {
      again = true
      return
    }
    again = false
    clearTimeout(timer)
    looking = settle()
      .then((settled) => {
        if (!settled && !stopping) timer = setTimeout(look, LOOK_MS)
      })
      .finally(() => {
        looking = null
        if (again) look()
      })
  }
  const gathered = setTimeout(look, GATHER_MS + 1)

  return {
    epochOf: (shard) => held.get(shard) ?? null,
    held: () => held,
    untilOwned: (shard) =>
      new Promise((resolve) => {
        const see = () => {
          const owner = owners.ownerOf(shard)?.owner
          if (!owner || !owners.nodes().has(owner)) return
          awaiting.delete(see)
          resolve()
        }
        awaiting.add(see)
        see()
      }),
    mayGrant: (shard) => held.has(shard) && liveness.mayGrant(),
    setShards(next) {
      shards = next
      look()
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      clearTimeout(timer)
      clearTimeout(gathered)
      await liveness.leave()
      await looking
      const given = await Promise.allSettled([...held.keys()].map((shard) => give(shard, 'stopping')))
      for (const result of given) if (result.status === 'rejected') log.warn('release-failed', { because: String(result.reason) })
      owners.close()
      await liveness.end().catch((error: unknown) => log.warn('release-failed', { because: String(error) })) // the TTL does it
    },
  }
}
