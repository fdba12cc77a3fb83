import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { HygieneMemory } from './policy/hygiene-memory.ts'

const deflated = promisify(deflateRaw)
const inflated = promisify(inflateRaw)

interface Envelope {
  /** the term that wrote it: an owner's own write, whose answer was lost, is told from another owner's */
  readonly term: string
  /** `HygieneMemory`, deflated; null before the first */
  readonly body: Uint8Array | null
}

/** Where the memory rests: one value, by compare-and-set, so that it fits the journal's position in it after any death and an old owner writes no more. */
export class HygieneStore {
  readonly #bucket: Bucket
  readonly #term: string
  #revision: number

  private constructor(bucket: Bucket, term: string, revision: number) {
    this.#bucket = bucket
    this.#term = term
    this.#revision = revision
  }

  /** Writes our term over what stands there, before anything is read: from then on every older owner is refused. */
  static async open(bucket: Bucket, term: string): Promise<{ readonly store: HygieneStore; readonly memory: HygieneMemory | null }> {
    for (;;) {
      const standing = await bucket.get(KEYS.hygiene)
      const body = standing && decode<Envelope>(standing.value).body
      const mine = encode({ term, body } satisfies Envelope)
      const revision = standing === null ? await bucket.create(KEYS.hygiene, mine) : await bucket.update(KEYS.hygiene, mine, standing.revision)
      if (revision === null) continue
      return { store: new HygieneStore(bucket, term, revision), memory: body && decode<HygieneMemory>(await inflated(body)) }
    }
  }

  /** False: another owner writes. */
  async save(memory: HygieneMemory): Promise<boolean> {
    const value = encode({ term: this.#term, body: await deflated(encode(memory), { level: 1 }) } satisfies Envelope)
    const revision = await this.#bucket.update(KEYS.hygiene, value, this.#revision)
    if (revision !== null) {
      this.#revision = revision
      return true
    }
    const standing = await this.#bucket.get(KEYS.hygiene)
    if (standing === null || decode<Envelope>(standing.value).term !== this.#term) return false
    this.#revision = standing.revision
    throw new Infrastructure('unavailable', 'the memory of verdicts had moved on; it is written again')
  }
}
