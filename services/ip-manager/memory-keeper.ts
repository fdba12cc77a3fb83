/**
 * memory-keeper: counts, modes and the position in the journal they belong to, in one value: after any death they fit each other.
 *
 * OWNS       `reputation` / `ip-manager` while its epoch is the newest
 * INVARIANT  written by compare-and-set under our epoch; who finds a newer epoch there has lost its shard and writes no more
 * NOTE       one value and not one per IP: a bucket has no atomic batches. Deflated, 20,000 pairs are well below the server's 8 MB
 */
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { MonoMs } from '../../protocol/words.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { every } from '../runtime/wheel.ts'
import type { Memory } from './policy/memory.ts'

interface Envelope {
  readonly epoch: number
  /** `Memory` in msgpack; null before the first */
  readonly body: Uint8Array | null
  readonly deflated: boolean
}

export interface KeeperOptions {
  readonly bucket: Bucket
  readonly epoch: number
  readonly everyMs: number
  readonly mono: () => MonoMs
  readonly log: Log
  /** what is to be saved, taken in one turn; null = nothing changed since the last time */
  take(): Memory | null
  /** it could not be written: it must be taken again */
  giveBack(): void
  /** another owner writes */
  onFenced(): void
}

export interface MemoryKeeper extends AsyncDisposable {
  readonly loaded: Memory | null
  /** what is changed now is durable when it resolves; false = another owner writes */
  save(): Promise<boolean>
}

/** Making the value takes no more than a sixtieth of the time: with twenty thousand pairs it is saved each ten seconds or so, and a new owner reads the journal from as far back. */
const SAVE_SHARE = 60
const DEFLATE_FROM_BYTES = 64 * 1024
const deflated = promisify(deflate)
const inflated = promisify(inflate)

/** Null when a newer owner has written already. Writes once before it reads anything: from then on every older owner is refused. */
export async function keepMemory(options: KeeperOptions): Promise<MemoryKeeper | null> {
  const { bucket, epoch, everyMs, log } = options
  let envelope: Envelope = { epoch, body: null, deflated: false }
  let revision = await fence()
  if (revision === null) return null
  let fenced = false
  let nextTurn: MonoMs = 0
  let underWay: Promise<boolean> = Promise.resolve(true)

  /** Our epoch over what stands there; the revision of that write. */
  async function fence(): Promise<number | null> {
    for (;;) {
      const standing = await bucket.get(KEYS.ipMemory)
      if (standing !== null) envelope = decode<Envelope>(standing.value)
      if (envelope.epoch > epoch) return null
      envelope = { ...envelope, epoch }
      const written =
        standing === null ? await bucket.create(KEYS.ipMemory, encode(envelope)) : await bucket.update(KEYS.ipMemory, encode(envelope), standing.revision)
      if (written !== null) return written
    }
  }

  async function write(): Promise<boolean> {
    if (fenced) return false
    const began = options.mono()
    const memory = options.take()
    if (memory === null) return true
    const body = encode(memory)
    const worth = body.length >= DEFLATE_FROM_BYTES
    const value = encode({ epoch, body: worth ? await deflated(body, { level: 1 }) : body, deflated: worth } satisfies Envelope)
    const now = options.mono()
    nextTurn = now + (now - began) * SAVE_SHARE
    try {
      for (;;) {
        const written = await bucket.update(KEYS.ipMemory, value, revision as number)
        if (written !== null) {
          revision = written
          return true
        }
        // It may be our own write whose answer was lost: ask the leader before giving up (design §6).
        const standing = await bucket.get(KEYS.ipMemory)
        if (standing === null || decode<Envelope>(standing.value).epoch !== epoch) {
          fenced = true
          options.onFenced()
          return false
        }
        revision = standing.revision
      }
    } catch (error) {
      options.giveBack()
      throw error
    }
  }

  function save(): Promise<boolean> {
    underWay = underWay.then(write, write)
    return underWay
  }

  const turns = every(everyMs, () => {
    if (options.mono() < nextTurn) return
    void save().catch((error: unknown) => {
      if (!(error instanceof Infrastructure)) throw error
      log.warn('memory-unsaved', { because: error.message }) // the next turn tries again
    })
  })

  const body = envelope.body === null ? null : envelope.deflated ? await inflated(envelope.body) : envelope.body
  return {
    loaded: body === null ? null : decode<Memory>(body),
    save,
    async [Symbol.asyncDispose]() {
      turns[Symbol.dispose]()
      await save().catch((error: unknown) => log.warn('memory-unsaved', { because: String(error) }))
    },
  }
}
