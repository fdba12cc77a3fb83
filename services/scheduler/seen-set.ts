import { randomBytes } from 'node:crypto'
import { addressHash } from './policy/address-hash.ts'

const WORDS = 4
const SEGMENTS = 64
const FEWEST_SLOTS = 8
/** 16 octets a slot, full by 70 to 84 %: some 21 octets an entry (S8). */
const FULL = 0.84
const GROWS_BY = 1.2
/** below 16 kB a segment room is cheaper than moving all entries so often */
const SMALL_SLOTS = 1_024
const SMALL_GROWS_BY = 2

/**
 * A set of texts by 128-bit hashes: open addressing in 64 segments, so that growing never needs the whole twice and never stops the process for long.
 * Two addresses among ten million meet with a chance of 10⁻²⁵; then one of them is taken for a duplicate. The hash is two keyed ones side by side,
 * under keys of this set's own: who writes the list cannot choose addresses that meet. It leaves nothing for the collector, where a digest's buffer did.
 */
export class SeenSet {
  readonly #keys: readonly [readonly [number, number], readonly [number, number]] = [newKey(), newKey()]
  readonly #segments = Array.from({ length: SEGMENTS }, () => ({ slots: new Uint32Array(FEWEST_SLOTS * WORDS), size: 0 }))

  get size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0)
  }

  /** True when it was new. */
  add(text: string): boolean {
    const key = this.#keyOf(text)
    const segment = this.#segmentOf(key)
    const slot = find(segment.slots, key)
    if (segment.slots[slot + 3] !== 0) return false
    segment.slots.set(key, slot)
    segment.size++
    if (segment.size * WORDS > segment.slots.length * FULL) segment.slots = grown(segment.slots)
    return true
  }

  has(text: string): boolean {
    const key = this.#keyOf(text)
    const { slots } = this.#segmentOf(key)
    return slots[find(slots, key) + 3] !== 0
  }

  #segmentOf(key: Key) {
    return this.#segments[key[0] >>> 26] as { slots: Uint32Array<ArrayBuffer>; size: number }
  }

  #keyOf(text: string): Key {
    const one = addressHash(this.#keys[0], text)
    const two = addressHash(this.#keys[1], text)
    return [one.high, one.low, two.high, (two.low | 1) >>> 0] // the last is never 0: that is "free"
  }
}

type Key = readonly [number, number, number, number]

function newKey(): readonly [number, number] {
  const octets = randomBytes(8)
  return [octets.readUInt32LE(0), octets.readUInt32LE(4)]
}

/** The slot that holds the key, or the free one where it belongs. The 26 bits that did not choose the segment are spread over any number of slots. */
function find(slots: Uint32Array, key: Key): number {
  const count = slots.length / WORDS
  for (let at = Math.floor((((key[0] << 6) >>> 0) / 0x1_0000_0000) * count); ; at = at + 1 === count ? 0 : at + 1) {
    const slot = at * WORDS
    if (slots[slot + 3] === 0) return slot
    if (slots[slot] === key[0] && slots[slot + 1] === key[1] && slots[slot + 2] === key[2] && slots[slot + 3] === key[3]) return slot
  }
}

function grown(old: Uint32Array): Uint32Array<ArrayBuffer> {
  const count = old.length / WORDS
  const slots = new Uint32Array(Math.ceil(count * (count < SMALL_SLOTS ? SMALL_GROWS_BY : GROWS_BY) + 1) * WORDS)
  for (let at = 0; at < old.length; at += WORDS) {
    if (old[at + 3] === 0) continue
    const key = [old[at], old[at + 1], old[at + 2], old[at + 3]] as unknown as Key
    slots.set(key, find(slots, key))
  }
  return slots
}
