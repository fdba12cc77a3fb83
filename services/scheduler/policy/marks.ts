import type { EpochMs } from '../../../protocol/words.ts'

/** What is remembered of an address that failed and is not suppressed (yet). Seconds since 1970. */
export type Mark =
  | { readonly kind: 'strikes'; readonly count: number; readonly firstS: number; readonly lastS: number }
  /** its verdict is held; `group` says at which site, for whom */
  | { readonly kind: 'held'; readonly group: number; readonly sinceS: number }

const HELD = 0x8000
const START = 1_024
const ROW = 18

/**
 * Marks by a 53-bit hash of tenant and address, by open addressing: 18 octets each at a load of at most two thirds (S8). Of 250,000 two meet with
 * a chance of 10⁻⁶; then one address has a failure too many. Past `max` the mark that was touched longest ago is forgotten, which only delays
 * an entry: who fails on fails again.
 */
export class Marks {
  #keys = new Float64Array(START)
  #first = new Uint32Array(START)
  #last = new Uint32Array(START)
  #note = new Uint16Array(START)
  #size = 0
  readonly #max: number

  constructor(max = 250_000) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  get(key: number): Mark | null {
    const at = this.#find(key)
    return this.#keys[at] === 0 ? null : this.#markAt(at)
  }

  set(key: number, mark: Mark): void {
    let at = this.#find(key)
    if (this.#keys[at] === 0) {
      if (this.#size >= this.#max) this.#forgetOldest()
      if ((this.#size + 1) * 3 > this.#keys.length * 2) this.#grow()
      at = this.#find(key)
      this.#keys[at] = key
      this.#size++
    }
    this.#first[at] = mark.kind === 'strikes' ? mark.firstS : mark.sinceS
    this.#last[at] = mark.kind === 'strikes' ? mark.lastS : mark.sinceS
    this.#note[at] = mark.kind === 'strikes' ? Math.min(mark.count, HELD - 1) : HELD | mark.group
  }

  delete(key: number): boolean {
    let hole = this.#find(key)
    if (this.#keys[hole] === 0) return false
    const mask = this.#keys.length - 1
    // What stands behind it in the same run moves up, or a search would end at the hole.
    for (let at = (hole + 1) & mask; this.#keys[at] !== 0; at = (at + 1) & mask) {
      const home = homeOf(this.#keys[at] as number, mask)
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      this.#copy(at, hole)
      hole = at
    }
    this.#keys[hole] = 0
    this.#size--
    return true
  }

  *entries(): Iterable<readonly [key: number, mark: Mark]> {
    for (let at = 0; at < this.#keys.length; at++) if (this.#keys[at] !== 0) yield [this.#keys[at] as number, this.#markAt(at)]
  }

  packed(): Uint8Array {
    const view = new DataView(new ArrayBuffer(this.#size * ROW))
    let to = 0
    for (let at = 0; at < this.#keys.length; at++) {
      if (this.#keys[at] === 0) continue
      view.setFloat64(to, this.#keys[at] as number)
      view.setUint32(to + 8, this.#first[at] as number)
      view.setUint32(to + 12, this.#last[at] as number)
      view.setUint16(to + 16, this.#note[at] as number)
      to += ROW
    }
    return new Uint8Array(view.buffer)
  }

  static restore(packed: Uint8Array, max?: number): Marks {
    const marks = new Marks(max)
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
    for (let from = 0; from + ROW <= packed.byteLength; from += ROW) {
      const [firstS, lastS, note] = [view.getUint32(from + 8), view.getUint32(from + 12), view.getUint16(from + 16)]
      marks.set(view.getFloat64(from), markOf(firstS, lastS, note))
    }
    return marks
  }

  #markAt(at: number): Mark {
    return markOf(this.#first[at] as number, this.#last[at] as number, this.#note[at] as number)
  }

  #find(key: number): number {
    const mask = this.#keys.length - 1
    let at = homeOf(key, mask)
    while (this.#keys[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & mask
    return at
  }

  #copy(from: number, to: number): void {
    this.#keys[to] = this.#keys[from] as number
    this.#first[to] = this.#first[from] as number
    this.#last[to] = this.#last[from] as number
    this.#note[to] = this.#note[from] as number
  }

  #grow(): void {
    const [keys, first, last, note] = [this.#keys, this.#first, this.#last, this.#note]
    const size = keys.length * 2
    this.#keys = new Float64Array(size)
    this.#first = new Uint32Array(size)
    this.#last = new Uint32Array(size)
    this.#note = new Uint16Array(size)
    for (let from = 0; from < keys.length; from++) {
      if (keys[from] === 0) continue
      const to = this.#find(keys[from] as number)
      this.#keys[to] = keys[from] as number
      this.#first[to] = first[from] as number
      this.#last[to] = last[from] as number
      this.#note[to] = note[from] as number
    }
  }

  /** A hundredth at a time, so that a full table does not look through itself for each newcomer. */
  #forgetOldest(): void {
    const ages = [...this.entries()].map(([key, mark]) => ({ key, lastS: mark.kind === 'strikes' ? mark.lastS : mark.sinceS }))
    ages.sort((a, b) => a.lastS - b.lastS)
    for (const { key } of ages.slice(0, Math.max(1, Math.floor(this.#max / 100)))) this.delete(key)
  }
}

function markOf(firstS: number, lastS: number, note: number): Mark {
  return note >= HELD ? { kind: 'held', group: note & (HELD - 1), sinceS: firstS } : { kind: 'strikes', count: note, firstS, lastS }
}

function homeOf(key: number, mask: number): number {
  return (key % 0x1_0000_0000) & mask
}

/** Two FNV-1a of different beginnings, 53 bits together; never 0, which is "free". Decides about nobody alone: a mark takes several failures. */
export function markKey(tenant: string, address: string): number {
  const text = `${tenant} ${address}`
  let [low, high] = [0x811c9dc5, 0x1000193]
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x01000193) ^ (high >>> 15)
  }
  return (high & 0x1f_ffff) * 0x1_0000_0000 + (low >>> 0) || 1
}

export function seconds(at: EpochMs): number {
  return Math.floor(at / 1_000)
}
