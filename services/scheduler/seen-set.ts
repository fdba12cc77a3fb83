import { hash } from 'node:crypto'

/**
 * A set of 128-bit hashes by open addressing: 16 octets an entry at a load of at most two thirds (S8). Two addresses among ten million
 * meet with a chance of 10⁻²⁵; then one of them is taken for a duplicate.
 */
export class SeenSet {
  #slots = new Uint32Array(4 * 1024)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** True when it was new. */
  add(text: string): boolean {
    const key = keyOf(text)
    const slot = find(this.#slots, key)
    if (this.#slots[slot + 3] !== 0) return false
    this.#slots.set(key, slot)
    this.#size++
    if (this.#size * 6 > this.#slots.length) this.#grow()
    return true
  }

  has(text: string): boolean {
    return this.#slots[find(this.#slots, keyOf(text)) + 3] !== 0
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 3] === 0) continue
      const key = [old[at], old[at + 1], old[at + 2], old[at + 3]] as Key
      this.#slots.set(key, find(this.#slots, key))
    }
  }
}

type Key = [number, number, number, number]

function keyOf(text: string): Key {
  const digest = hash('sha1', text, 'buffer')
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), (digest.readUInt32LE(12) | 1) >>> 0] // the last is never 0: that is "free"
}

/** The slot that holds the key, or the free one where it belongs. */
function find(slots: Uint32Array, key: Key): number {
  const mask = slots.length / 4 - 1
  for (let at = key[0] & mask; ; at = (at + 1) & mask) {
    const slot = at * 4
    if (slots[slot + 3] === 0) return slot
    if (slots[slot] === key[0] && slots[slot + 1] === key[1] && slots[slot + 2] === key[2] && slots[slot + 3] === key[3]) return slot
  }
}
