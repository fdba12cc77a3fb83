const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Numbers and short texts one behind the other: seven bits an octet, the lowest first, the eighth says that more follow (LEB128). */
export class OctetWriter {
  #octets = new Uint8Array(1_024)
  #used = 0

  number(value: number): void {
    this.#reserve(8)
    while (value > 0x7f) {
      this.#octets[this.#used++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    this.#octets[this.#used++] = value
  }

  octets(octets: Uint8Array): void {
    this.#reserve(octets.length)
    this.#octets.set(octets, this.#used)
    this.#used += octets.length
  }

  text(text: string): void {
    const octets = encoder.encode(text)
    this.number(octets.length)
    this.octets(octets)
  }

  written(): Uint8Array {
    return this.#octets.subarray(0, this.#used)
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#octets.length) return
    const grown = new Uint8Array(Math.max(this.#octets.length * 2, this.#used + more))
    grown.set(this.#octets)
    this.#octets = grown
  }
}

/** Reads what an OctetWriter wrote, in the same order. */
export class OctetReader {
  readonly #octets: Uint8Array
  #at = 0

  constructor(octets: Uint8Array) {
    this.#octets = octets
  }

  number(): number {
    let value = 0
    for (let unit = 1; ; unit *= 0x80) {
      const octet = this.#octets[this.#at++] ?? 0
      value += (octet & 0x7f) * unit
      if (octet < 0x80) return value
    }
  }

  octets(length: number): Uint8Array {
    this.#at += length
    return this.#octets.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return decoder.decode(this.octets(this.number()))
  }
}
