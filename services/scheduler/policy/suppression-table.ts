import type { EpochMs } from '../../../protocol/words.ts'
import type { Hash64 } from './address-hash.ts'

/** Words of a slot: hash (2) · where in the log, 0 = free · reason (4 bits) and until (28 bits, in steps of 16 s since 1970: to 2106; 0 = for good). */
const WORDS = 4
const SEGMENTS = 64
const STEP_MS = 16_000
const FEWEST_SLOTS = 8
/** Full by 71 to 85 %, so an entry takes some 20 octets; above that a miss would look at more than 22 slots. */
const FULL = 0.85
const GROWS_BY = 1.2

/** A part of the table: what is in it is copied as one, so growing never stops the process for long and never needs the whole twice. */
export interface Segment {
  readonly slots: Uint32Array<ArrayBuffer>
  readonly size: number
}

/**
 * One tenant's suppressed addresses, by hash: open addressing in 64 segments (S8). An entry is known by its hash and reason, since reasons stand side
 * by side: an unknown user's half year must not end a complaint. What else is known of it stands in the log, at `where`.
 */
export class SuppressionTable {
  readonly #segments: ({ slots: Uint32Array<ArrayBuffer>; size: number } | undefined)[] = Array.from({ length: SEGMENTS }, () => undefined)

  get size(): number {
    return this.#segments.reduce((sum, segment) => sum + (segment?.size ?? 0), 0)
  }

  /** `where`: the log's sequence that tells of the entry; `until` is kept to the next 16 s. */
  set(hash: Hash64, reason: number, where: number, until: EpochMs | null): void {
    const meta = reason | ((until === null ? 0 : Math.max(1, Math.ceil(until / STEP_MS))) << 4)
    const number = hash.high >>> 26
    const segment = this.#segments[number] ?? { slots: new Uint32Array(FEWEST_SLOTS * WORDS), size: 0 }
    this.#segments[number] = segment
    const at = slotOf(segment.slots, hash, reason)
    if (segment.slots[at + 2] === 0) segment.size++
    segment.slots[at] = hash.high
    segment.slots[at + 1] = hash.low
    segment.slots[at + 2] = where
    segment.slots[at + 3] = meta
    if (segment.size * WORDS > segment.slots.length * FULL) segment.slots = grown(segment.slots)
  }

  /** The log's sequence of the entry; 0 = there is none. */
  where(hash: Hash64, reason: number): number {
    const slots = this.#segments[hash.high >>> 26]?.slots
    return slots === undefined ? 0 : (slots[slotOf(slots, hash, reason) + 2] as number)
  }

  /** One bit a reason whose entry has not expired. */
  reasonsOf(hash: Hash64, now: EpochMs): number {
    const slots = this.#segments[hash.high >>> 26]?.slots
    if (slots === undefined) return 0
    let reasons = 0
    for (let at = homeOf(slots, hash.high); slots[at + 2] !== 0; at = next(slots, at)) {
      if (slots[at] !== hash.high || slots[at + 1] !== hash.low) continue
      const meta = slots[at + 3] as number
      const until = meta >>> 4
      if (until === 0 || until * STEP_MS > now) reasons |= 1 << (meta & 15)
    }
    return reasons
  }

  /** False when it was not there. */
  delete(hash: Hash64, reason: number): boolean {
    const segment = this.#segments[hash.high >>> 26]
    if (segment === undefined) return false
    const { slots } = segment
    let hole = slotOf(slots, hash, reason)
    if (slots[hole + 2] === 0) return false
    // What stands behind moves up unless it is where it belongs, so that no search ends at the hole.
    for (let at = next(slots, hole); slots[at + 2] !== 0; at = next(slots, at)) {
      const home = homeOf(slots, slots[at] as number)
      const stays = hole <= at ? hole < home && home <= at : hole < home || home <= at
      if (stays) continue
      slots.copyWithin(hole, at, at + WORDS)
      hole = at
    }
    slots.fill(0, hole, hole + WORDS)
    segment.size--
    return true
  }

  /** The parts that hold something, by number, for a snapshot. */
  *segments(): Generator<readonly [number, Segment]> {
    for (const [number, segment] of this.#segments.entries()) if (segment !== undefined) yield [number, segment]
  }

  /** A part as `segments()` gave it. */
  restore(number: number, segment: Segment): void {
    this.#segments[number] = { ...segment }
  }
}

/** The slot of this entry, or the free one where it belongs. */
function slotOf(slots: Uint32Array, { high, low }: Hash64, reason: number): number {
  let at = homeOf(slots, high)
  while (slots[at + 2] !== 0 && !(slots[at] === high && slots[at + 1] === low && ((slots[at + 3] as number) & 15) === reason)) at = next(slots, at)
  return at
}

/** The 26 bits that did not choose the segment, spread over its slots: any number of them will do. */
function homeOf(slots: Uint32Array, high: number): number {
  return Math.floor((((high << 6) >>> 0) / 0x1_0000_0000) * (slots.length / WORDS)) * WORDS
}

function next(slots: Uint32Array, at: number): number {
  return at + WORDS === slots.length ? 0 : at + WORDS
}

function grown(old: Uint32Array): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(Math.ceil((old.length / WORDS) * GROWS_BY + 1) * WORDS)
  for (let at = 0; at < old.length; at += WORDS) {
    if (old[at + 2] === 0) continue
    let to = homeOf(slots, old[at] as number)
    while (slots[to + 2] !== 0) to = next(slots, to)
    slots.set(old.subarray(at, at + WORDS), to)
  }
  return slots
}
