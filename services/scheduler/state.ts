import type { Outcome } from '../../protocol/outcome.ts'
import type { EpochMs, ReplyClass } from '../../protocol/words.ts'

/** Octets of a batch's bit field: one bit each of ≤ 100 recipients. */
const MASK_BYTES = 13

/** What a batch waits for, as its deferred recipients' last outcomes told. */
interface Waiting {
  readonly site: string
  because: ReplyClass
  until: EpochMs | null
}

export interface Counts {
  delivered: number
  unconfirmed: number
  bounced: number
  expired: number
  suppressed: number
  cancelled: number
  mayBeDuplicate: number
}

/**
 * A campaign's tally: which recipients are settled, by batch and bit, and how. Two bit fields a batch (settled, deferred) and a map entry:
 * well under a byte a recipient (S8).
 *
 * INVARIANT (S1)  settled = delivered + bounced + expired + suppressed + cancelled = the bits set; the first final outcome counts.
 */
export class Tally {
  readonly counts: Counts = { delivered: 0, unconfirmed: 0, bounced: 0, expired: 0, suppressed: 0, cancelled: 0, mayBeDuplicate: 0 }
  /** last sequence of OUTCOMES counted */
  position = 0
  readonly #slots = new Map<number, number>()
  #settled = new Uint8Array(64 * MASK_BYTES)
  #deferred = new Uint8Array(64 * MASK_BYTES)
  readonly #waiting = new Map<number, Waiting>()

  get settled(): number {
    const { delivered, bounced, expired, suppressed, cancelled } = this.counts
    return delivered + bounced + expired + suppressed + cancelled
  }

  /** Counts one recipient's outcome; false when an earlier final outcome already settled it. */
  count(batch: number, outcome: Outcome, until: EpochMs | null): boolean {
    const base = this.#slotOf(batch) * MASK_BYTES
    const at = base + (outcome.n >> 3)
    const bit = 1 << (outcome.n & 7)
    if ((this.#settled[at] as number) & bit) {
      // Later ones stay in the stream; a second *final* one says that the mail may have gone out twice.
      if (outcome.outcome !== 'deferred') this.counts.mayBeDuplicate++
      return false
    }
    if (outcome.outcome === 'deferred') {
      this.#deferred[at] = (this.#deferred[at] as number) | bit
      this.#waiting.set(batch, { site: outcome.site, because: outcome.class, until })
      return true
    }
    this.#settled[at] = (this.#settled[at] as number) | bit
    this.#deferred[at] = (this.#deferred[at] as number) & ~bit
    this.counts[outcome.outcome]++
    if (outcome.unconfirmed) this.counts.unconfirmed++
    if (outcome.mayBeDuplicate) this.counts.mayBeDuplicate++
    if (!this.#anyDeferred(base)) this.#waiting.delete(batch)
    return true
  }

  isSettled(batch: number, n: number): boolean {
    const slot = this.#slots.get(batch)
    return slot !== undefined && ((this.#settled[slot * MASK_BYTES + (n >> 3)] as number) & (1 << (n & 7))) !== 0
  }

  get deferred(): number {
    let deferred = 0
    for (const [batch] of this.#waiting) deferred += this.#deferredOf(batch)
    return deferred
  }

  /** Deferred recipients by site and reason, with the earliest next try. */
  *waiting(): Iterable<{ site: string; count: number; because: ReplyClass; until: EpochMs | null }> {
    const sums = new Map<string, { site: string; count: number; because: ReplyClass; until: EpochMs | null }>()
    for (const [batch, { site, because, until }] of this.#waiting) {
      const key = `${because} ${site}`
      const sum = sums.get(key) ?? { site, because, count: 0, until: null }
      sum.count += this.#deferredOf(batch)
      if (until !== null && (sum.until === null || until < sum.until)) sum.until = until
      sums.set(key, sum)
    }
    yield* sums.values()
  }

  /** For the campaign's record: the bits with the position they are true for. */
  snapshot(): TallyBits {
    const batches = [...this.#slots.keys()]
    const used = batches.length * MASK_BYTES
    return {
      batches,
      settled: this.#settled.slice(0, used),
      deferred: this.#deferred.slice(0, used),
      waiting: [...this.#waiting].map(([batch, row]) => [batch, row.site, row.because, row.until]),
    }
  }

  static restore(position: number, counts: Counts, bits: TallyBits): Tally {
    const tally = new Tally()
    tally.position = position
    Object.assign(tally.counts, counts)
    for (const batch of bits.batches) tally.#slotOf(batch)
    tally.#settled.set(bits.settled)
    tally.#deferred.set(bits.deferred)
    for (const [batch, site, because, until] of bits.waiting) tally.#waiting.set(batch, { site, because, until })
    return tally
  }

  #slotOf(batch: number): number {
    const known = this.#slots.get(batch)
    if (known !== undefined) return known
    const slot = this.#slots.size
    this.#slots.set(batch, slot)
    if ((slot + 1) * MASK_BYTES > this.#settled.length) {
      this.#settled = grown(this.#settled)
      this.#deferred = grown(this.#deferred)
    }
    return slot
  }

  #anyDeferred(base: number): boolean {
    for (let at = base; at < base + MASK_BYTES; at++) if (this.#deferred[at]) return true
    return false
  }

  #deferredOf(batch: number): number {
    const base = (this.#slots.get(batch) as number) * MASK_BYTES
    let count = 0
    for (let at = base; at < base + MASK_BYTES; at++) for (let byte = this.#deferred[at] as number; byte; byte >>= 1) count += byte & 1
    return count
  }
}

/** A tally's bits as they rest; slots in the order of `batches`. */
export interface TallyBits {
  readonly batches: readonly number[]
  readonly settled: Uint8Array
  readonly deferred: Uint8Array
  readonly waiting: readonly (readonly [batch: number, site: string, because: ReplyClass, until: EpochMs | null])[]
}

function grown(field: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(field.length * 2)
  next.set(field)
  return next
}
