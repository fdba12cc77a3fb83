/** Which of a batch's ≤ 100 recipients are meant: one bit each, least significant bit of byte 0 is recipient 0. */
export type Mask = Uint8Array

export function fullMask(size: number): Mask {
  const mask = new Uint8Array(Math.ceil(size / 8))
  for (let n = 0; n < size; n++) setBit(mask, n)
  return mask
}

export function maskOf(ns: Iterable<number>, size: number): Mask {
  const mask = new Uint8Array(Math.ceil(size / 8))
  for (const n of ns) setBit(mask, n)
  return mask
}

export function setBit(mask: Mask, n: number): void {
  mask[n >> 3] = (mask[n >> 3] ?? 0) | (1 << (n & 7))
}

export function hasBit(mask: Mask, n: number): boolean {
  return ((mask[n >> 3] ?? 0) & (1 << (n & 7))) !== 0
}

/** The recipients meant, ascending. */
export function bitsOf(mask: Mask): number[] {
  const ns: number[] = []
  for (let n = 0; n < mask.length * 8; n++) if (hasBit(mask, n)) ns.push(n)
  return ns
}

export function countBits(mask: Mask): number {
  let count = 0
  for (let byte of mask)
    while (byte) {
      count += byte & 1
      byte >>= 1
    }
  return count
}
