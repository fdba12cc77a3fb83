/** Words of a slot: a key's. The last of them is never 0: that is "free". */
const WORDS = 3
const PAGE_SLOTS = 512
/** Full by 70 to 84 %: some 16 octets an entry (S8). */
const FULL = 0.84
const GROWS_BY = 1.2

/**
 * A set of 96-bit keys that grows where it is: pages are added at its end and what it holds moves up, so that nothing is left for the collector. A table
 * that is copied as it grows leaves all that it was, outside the heap, where V8 lets some 30 MB of it lie.
 *
 * Open addressing without a way round the end: a key stands at its home or behind it, and a key's home is its first word's share of all homes. So the order
 * of homes is that of first words whatever their number, and to grow moves keys towards the end only, one run of them (free slots on both sides) at a time.
 */
export class PagedTable {
  readonly #pages: Uint32Array[] = [newPage()]
  #homes = PAGE_SLOTS
  #size = 0

  get size(): number {
    return this.#size
  }

  get octets(): number {
    return this.#pages.length * PAGE_SLOTS * WORDS * Uint32Array.BYTES_PER_ELEMENT
  }

  /** True when it was new. The first word spreads keys over the table; `third` ≠ 0. */
  add(first: number, second: number, third: number): boolean {
    const slot = this.#find(first, second, third)
    if (!this.#isFree(slot)) return false
    this.#write(slot, first, second, third)
    this.#size++
    if (this.#size > this.#homes * FULL) this.#grow()
    return true
  }

  has(first: number, second: number, third: number): boolean {
    return !this.#isFree(this.#find(first, second, third))
  }

  /** The slot that holds the key, or the free one where it belongs: perhaps the first behind the last page. */
  #find(first: number, second: number, third: number): number {
    for (let slot = Math.floor((first / 0x1_0000_0000) * this.#homes); ; slot++) {
      const page = this.#pages[Math.floor(slot / PAGE_SLOTS)]
      if (page === undefined) return slot
      const at = (slot % PAGE_SLOTS) * WORDS
      const last = page[at + 2]
      if (last === 0 || (last === third && page[at] === first && page[at + 1] === second)) return slot
    }
  }

  #isFree(slot: number): boolean {
    const page = this.#pages[Math.floor(slot / PAGE_SLOTS)]
    return page === undefined || page[(slot % PAGE_SLOTS) * WORDS + 2] === 0
  }

  #write(slot: number, first: number, second: number, third: number): void {
    const number = Math.floor(slot / PAGE_SLOTS)
    if (number === this.#pages.length) this.#pages.push(newPage())
    const page = this.#pages[number] as Uint32Array
    const at = (slot % PAGE_SLOTS) * WORDS
    page[at] = first
    page[at + 1] = second
    page[at + 2] = third
  }

  /** From the last run to the first: whoever is moved finds only those behind that have moved already, and free slots. */
  #grow(): void {
    let end = this.#pages.length * PAGE_SLOTS
    this.#homes = Math.ceil(this.#homes * GROWS_BY)
    while (this.#pages.length * PAGE_SLOTS < this.#homes) this.#pages.push(newPage())
    const run: number[] = []
    while (end > 0) {
      let from = end
      for (; from > 0 && !this.#isFree(from - 1); from--) this.#take(from - 1, run)
      for (let at = run.length; at > 0; at -= WORDS) {
        const [first, second, third] = [run[at - 3] as number, run[at - 2] as number, run[at - 1] as number]
        this.#write(this.#find(first, second, third), first, second, third)
      }
      run.length = 0
      end = from - (from === end ? 1 : 0)
    }
  }

  #take(slot: number, run: number[]): void {
    const page = this.#pages[Math.floor(slot / PAGE_SLOTS)] as Uint32Array
    const at = (slot % PAGE_SLOTS) * WORDS
    run.push(page[at] as number, page[at + 1] as number, page[at + 2] as number)
    page[at + 2] = 0
  }
}

function newPage(): Uint32Array {
  return new Uint32Array(PAGE_SLOTS * WORDS)
}
