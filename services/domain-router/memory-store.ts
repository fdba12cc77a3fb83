import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import type { Memory } from './policy/messages.ts'

/** A shard's memory in bucket `reputation`: read by a new owner, then written by it alone (compare-and-set), one write at a time. */
export class MemoryStore {
  readonly #bucket: Bucket
  readonly #key: string
  readonly #log: Log
  #revision: number | null = null
  #next: { readonly memory: Memory; readonly done: PromiseWithResolvers<boolean> } | null = null
  #writing: Promise<void> | null = null

  constructor(bucket: Bucket, shard: string, log: Log) {
    this.#bucket = bucket
    this.#key = KEYS.siteMemory(shard)
    this.#log = log
  }

  async read(): Promise<Memory | null> {
    const kept = await this.#bucket.get(this.#key)
    this.#revision = kept?.revision ?? 0
    return kept === null ? null : this.#decode(kept.value)
  }

  /** The newest memory is written, those it overtakes are not; false = it could not be, or another owner has written. */
  write(memory: Memory): Promise<boolean> {
    const done = this.#next?.done ?? Promise.withResolvers<boolean>()
    this.#next = { memory, done }
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
    })
    return done.promise
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== null) {
      const { memory, done } = this.#next
      this.#next = null
      try {
        done.resolve(await this.#writeOne(encode(memory)))
      } catch (error) {
        if (!(error instanceof Infrastructure)) {
          done.reject(error)
          continue
        }
        this.#log.warn('memory-not-saved', { key: this.#key, because: error.message })
        this.#revision = null // it may have been written: ask before the next
        done.resolve(false)
      }
    }
  }

  async #writeOne(value: Uint8Array): Promise<boolean> {
    this.#revision ??= (await this.#bucket.get(this.#key))?.revision ?? 0
    const revision = this.#revision === 0 ? await this.#bucket.create(this.#key, value) : await this.#bucket.update(this.#key, value, this.#revision)
    if (revision === null) {
      this.#log.warn('memory-not-saved', { key: this.#key, because: 'another owner has written it' })
      this.#revision = null
      return false
    }
    this.#revision = revision
    return true
  }

  /** A memory that cannot be read is an empty one: windows are learnt again, and what people ordered must be said again. */
  #decode(value: Uint8Array): Memory | null {
    try {
      const memory = decode<Memory>(value)
      if (memory?.v === 1) return memory
    } catch (error) {
      this.#log.error('memory-unreadable', { key: this.#key, error })
    }
    return null
  }
}
