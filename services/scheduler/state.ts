import type { Outcome } from '../../protocol/outcome.ts'
import type { EpochMs, ReplyClass } from '../../protocol/words.ts'
import { OctetReader, OctetWriter } from './policy/octets.ts'

/** Octets of a batch's bit field, by its largest recipient number so far: a list with a long tail has very many batches of one or two recipients. */
const SIZES = [1, 4, 13] as const
/** Batches of one page of the index; a campaign's batches lie close together in the stream. */
const PAGE = 64

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
 * A campaign's tally: which recipients are settled, by batch and bit, and how. Two bit fields a batch (settled, deferred) side by side, found by
 * a paged index of four octets a batch: well under an octet a recipient, and some eight where a batch has only one (S8).
 *
 * INVARIANT (S1)  settled = delivered + bounced + expired + suppressed + cancelled = the bits set; the first final outcome counts.
 */
export class Tally {
  readonly counts: Counts = { delivered: 0, unconfirmed: 0, bounced: 0, expired: 0, suppressed: 0, cancelled: 0, mayBeDuplicate: 0 }
  /** last sequence of OUTCOMES counted */
  position = 0
  /** batch → where its fields begin, times four, plus the number of its size; 0 = nothing is known of it */
  readonly #pages = new Map<number, Uint32Array>()
  #bits = new Uint8Array(1_024)
  /** the first octet is never used, so that no place is 0 */
  #used = 1
  readonly #waiting = new Map<number, Waiting>()

  get settled(): number {
    const { delivered, bounced, expired, suppressed, cancelled } = this.counts
    return delivered + bounced + expired + suppressed + cancelled
  }

  /** Counts one recipient's outcome; false when an earlier final outcome already settled it. */
  count(batch: number, outcome: Outcome, until: EpochMs | null): boolean {
    const { at, size } = this.#fieldsFor(batch, outcome.n >> 3)
    const settled = at + (outcome.n >> 3)
    const deferred = settled + size
    const bit = 1 << (outcome.n & 7)
    if ((this.#bits[settled] as number) & bit) {
      // Later ones stay in the stream; a second *final* one says that the mail may have gone out twice.
      if (outcome.outcome !== 'deferred') this.counts.mayBeDuplicate++
      return false
    }
    if (outcome.outcome === 'deferred') {
      this.#bits[deferred] = (this.#bits[deferred] as number) | bit
      this.#waiting.set(batch, { site: outcome.site, because: outcome.class, until })
      return true
    }
    this.#bits[settled] = (this.#bits[settled] as number) | bit
    this.#bits[deferred] = (this.#bits[deferred] as number) & ~bit
    this.counts[outcome.outcome]++
    if (outcome.unconfirmed) this.counts.unconfirmed++
    if (outcome.mayBeDuplicate) this.counts.mayBeDuplicate++
    if (this.#waiting.has(batch) && this.deferredOf(batch) === 0) this.#waiting.delete(batch)
    return true
  }

  isSettled(batch: number, n: number): boolean {
    const { at, size } = this.#fieldsOf(batch)
    return n >> 3 < size && ((this.#bits[at + (n >> 3)] as number) & (1 << (n & 7))) !== 0
  }

  settledOf(batch: number): number {
    const { at, size } = this.#fieldsOf(batch)
    return this.#ones(at, at + size)
  }

  deferredOf(batch: number): number {
    const { at, size } = this.#fieldsOf(batch)
    return this.#ones(at + size, at + 2 * size)
  }

  get deferred(): number {
    let deferred = 0
    for (const [batch] of this.#waiting) deferred += this.deferredOf(batch)
    return deferred
  }

  /** Deferred recipients by site and reason, with the earliest next try. */
  *waiting(): Iterable<{ site: string; count: number; because: ReplyClass; until: EpochMs | null }> {
    const sums = new Map<string, { site: string; count: number; because: ReplyClass; until: EpochMs | null }>()
    for (const [batch, { site, because, until }] of this.#waiting) {
      const key = `${because} ${site}`
      const sum = sums.get(key) ?? { site, because, count: 0, until: null }
      sum.count += this.deferredOf(batch)
      if (until !== null && (sum.until === null || until < sum.until)) sum.until = until
      sums.set(key, sum)
    }
    yield* sums.values()
  }

  /** The bits for the campaign's record, true for `position`: per batch its distance from the one before, then its fields without the zeros at their ends. */
  packed(): Uint8Array {
    const writer = new OctetWriter()
    let before = 0
    for (const page of [...this.#pages.keys()].sort((a, b) => a - b)) {
      for (let n = 0; n < PAGE; n++) {
        const batch = page * PAGE + n
        const { at, size } = this.#fieldsOf(batch)
        if (size === 0) continue
        const settled = withoutEnd(this.#bits.subarray(at, at + size))
        const deferred = withoutEnd(this.#bits.subarray(at + size, at + 2 * size))
        writer.number(batch - before)
        writer.number(settled.length * 16 + deferred.length)
        writer.octets(settled)
        writer.octets(deferred)
        before = batch
      }
    }
    writer.number(0)
    this.#packWaiting(writer)
    return writer.written()
  }

  /** `packed`: as `packed()` gave it; null = nothing counted yet. */
  static restore(position: number, counts: Counts, packed: Uint8Array | null): Tally {
    const tally = new Tally()
    tally.position = position
    Object.assign(tally.counts, counts)
    if (packed === null) return tally
    const reader = new OctetReader(packed)
    for (let batch = 0, step = reader.number(); step !== 0; step = reader.number()) {
      batch += step
      const lengths = reader.number()
      const [settled, deferred] = [reader.octets(lengths >> 4), reader.octets(lengths & 15)]
      const { at, size } = tally.#fieldsFor(batch, Math.max(settled.length, deferred.length, 1) - 1)
      tally.#bits.set(settled, at)
      tally.#bits.set(deferred, at + size)
    }
    tally.#restoreWaiting(reader)
    return tally
  }

  /** Names of sites and reasons once each, then a row of numbers a batch. */
  #packWaiting(writer: OctetWriter): void {
    const names = new Map<string, number>()
    for (const { site, because } of this.#waiting.values()) for (const name of [site, because]) if (!names.has(name)) names.set(name, names.size)
    writer.number(names.size)
    for (const name of names.keys()) writer.text(name)
    writer.number(this.#waiting.size)
    for (const [batch, { site, because, until }] of this.#waiting) {
      writer.number(batch)
      writer.number(names.get(site) as number)
      writer.number(names.get(because) as number)
      writer.number(until ?? 0)
    }
  }

  #restoreWaiting(reader: OctetReader): void {
    const names = Array.from({ length: reader.number() }, () => reader.text())
    for (let rows = reader.number(); rows > 0; rows--) {
      const [batch, site, because, until] = [reader.number(), names[reader.number()], names[reader.number()], reader.number()]
      this.#waiting.set(batch, { site: site as string, because: because as ReplyClass, until: until === 0 ? null : until })
    }
  }

  /** Where a batch's two fields begin and how many octets each has; none when nothing is known of it. */
  #fieldsOf(batch: number): { readonly at: number; readonly size: number } {
    const place = this.#pages.get(Math.floor(batch / PAGE))?.[batch % PAGE] ?? 0
    return place === 0 ? { at: 0, size: 0 } : { at: place >>> 2, size: SIZES[place & 3] as number }
  }

  /** The same, made or made larger so that they have that octet. What a field was before it grew is left lying: ten octets a batch at most. */
  #fieldsFor(batch: number, octet: number): { readonly at: number; readonly size: number } {
    const old = this.#fieldsOf(batch)
    if (octet < old.size) return old
    const number = SIZES.findIndex((size) => octet < size)
    const size = SIZES[number] as number
    const at = this.#used
    this.#used += 2 * size
    if (this.#used > this.#bits.length) this.#bits = grown(this.#bits)
    this.#bits.copyWithin(at, old.at, old.at + old.size)
    this.#bits.copyWithin(at + size, old.at + old.size, old.at + 2 * old.size)
    const page = this.#pages.get(Math.floor(batch / PAGE)) ?? new Uint32Array(PAGE)
    this.#pages.set(Math.floor(batch / PAGE), page)
    page[batch % PAGE] = at * 4 + number
    return { at, size }
  }

  #ones(from: number, to: number): number {
    let count = 0
    for (let octet = from; octet < to; octet++) for (let bits = this.#bits[octet] as number; bits; bits >>= 1) count += bits & 1
    return count
  }
}

function withoutEnd(field: Uint8Array): Uint8Array {
  let length = field.length
  while (length > 0 && field[length - 1] === 0) length--
  return field.subarray(0, length)
}

function grown(field: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(field.length * 2)
  next.set(field)
  return next
}
