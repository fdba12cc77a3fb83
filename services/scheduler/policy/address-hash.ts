/** 64 bits as two unsigned halves. */
export interface Hash64 {
  readonly high: number
  readonly low: number
}

/**
 * HalfSipHash-1-3 with a 64-bit result (Aumasson and Bernstein, the 32-bit form of SipHash), over the text's UTF-16 units.
 *
 * Keyed, because addresses come from strangers: with a plain hash somebody could make up an address that meets another's, let it be suppressed,
 * and silence the other. 64 bits: ten million entries asked for ten million addresses meet by chance with 5·10⁻⁶.
 */
export function addressHash([key0, key1]: readonly [number, number], text: string): Hash64 {
  let v0 = key0 | 0
  let v1 = (key1 ^ 0xee) | 0
  let v2 = (0x6c796765 ^ key0) | 0
  let v3 = (0x74656462 ^ key1) | 0
  const words = text.length >> 1
  // One loop for words (a round each) and the end (three rounds, twice): as calls the rounds take twice as long.
  let high = 0
  for (let at = 0; at <= words + 6; at++) {
    let word = 0
    if (at <= words) {
      const unit = text.charCodeAt(2 * at) | 0 // NaN behind the end becomes 0
      word = at < words ? unit | (text.charCodeAt(2 * at + 1) << 16) : (text.length << 24) | unit
      v3 ^= word
    } else if (at === words + 1) v2 ^= 0xee
    else if (at === words + 4) {
      high = (v1 ^ v3) >>> 0
      v1 ^= 0xdd
    }
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return { high, low: (v1 ^ v3) >>> 0 }
}
