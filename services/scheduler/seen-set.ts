import { randomBytes } from 'node:crypto'
import { addressHash } from './policy/address-hash.ts'
import { PagedTable } from './policy/paged-table.ts'

/** So few are kept as they are: most campaigns have no more, and 64 tables are a lot for them. */
const FEW = 1_000
const TABLES = 64

/**
 * A set of texts, by 96-bit hashes once they are many: in 64 tables, so that growing never stops the process for long.
 * Two addresses among ten million meet with a chance of 10⁻¹⁵; then one of them is taken for a duplicate. The hash is of two keyed ones side by side,
 * under keys of this set's own: who writes the list cannot choose addresses that meet. It leaves nothing for the collector, where a digest's buffer did.
 */
export class SeenSet {
  readonly #keys: readonly [readonly [number, number], readonly [number, number]] = [newKey(), newKey()]
  #few: Set<string> | null = new Set()
  #tables: readonly PagedTable[] = []

  get size(): number {
    return this.#few?.size ?? this.#tables.reduce((sum, { size }) => sum + size, 0)
  }

  /** True when it was new. */
  add(text: string): boolean {
    if (this.#few === null) return this.#addHash(text)
    if (this.#few.has(text)) return false
    this.#few.add(text)
    if (this.#few.size > FEW) {
      this.#tables = Array.from({ length: TABLES }, () => new PagedTable())
      for (const one of this.#few) this.#addHash(one)
      this.#few = null
    }
    return true
  }

  has(text: string): boolean {
    if (this.#few !== null) return this.#few.has(text)
    const one = addressHash(this.#keys[0], text)
    const two = addressHash(this.#keys[1], text)
    return this.#tableOf(one.high).has((one.high << 6) >>> 0, one.low, (two.high | 1) >>> 0)
  }

  #addHash(text: string): boolean {
    const one = addressHash(this.#keys[0], text)
    const two = addressHash(this.#keys[1], text)
    return this.#tableOf(one.high).add((one.high << 6) >>> 0, one.low, (two.high | 1) >>> 0)
  }

  /** Six bits choose the table, the other 26 the place in it. */
  #tableOf(high: number): PagedTable {
    return this.#tables[high >>> 26] as PagedTable
  }
}

function newKey(): readonly [number, number] {
  const octets = randomBytes(8)
  return [octets.readUInt32LE(0), octets.readUInt32LE(4)]
}
