/** The last 512 results of something, a bit each. Indices count from the first result ever; what has fallen out is not counted. */
const KEPT = 512
/** ones in a byte: the breakers count a window at each outcome */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)

export class Ring {
  readonly #bits: Uint8Array
  #total: number

  constructor(bits: Uint8Array = new Uint8Array(KEPT / 8), total = 0) {
    this.#bits = bits
    this.#total = total
  }

  get total(): number {
    return this.#total
  }

  get bits(): Uint8Array {
    return this.#bits
  }

  add(bit: boolean): void {
    const place = this.#total++ % KEPT
    const mask = 1 << (place & 7)
    this.#bits[place >> 3] = bit ? (this.#bits[place >> 3] as number) | mask : (this.#bits[place >> 3] as number) & ~mask
  }

  has(index: number): boolean {
    return index >= 0 && index < this.#total && index >= this.#total - KEPT && ((this.#bits[(index % KEPT) >> 3] as number) & (1 << (index & 7))) !== 0
  }

  /** Set ones among results `from` to (not with) `to`, and how many of those are still known. */
  among(from: number, to: number): { readonly ones: number; readonly of: number } {
    const [first, end] = [Math.max(from, 0, this.#total - KEPT), Math.min(to, this.#total)]
    let ones = 0
    for (let index = first; index < end; ) {
      const isWhole = (index & 7) === 0 && index + 8 <= end
      ones += isWhole ? (ONES[this.#bits[(index % KEPT) >> 3] as number] as number) : Number(this.has(index))
      index += isWhole ? 8 : 1
    }
    return { ones, of: Math.max(0, end - first) }
  }

  last(count: number): { readonly ones: number; readonly of: number } {
    return this.among(this.#total - count, this.#total)
  }
}
