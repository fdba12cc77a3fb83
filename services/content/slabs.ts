/**
 * Memory that mails are written into and that comes back when their sockets have let go of it. A fresh buffer for each mail costs the kernel its pages,
 * V8 a finaliser, and at a hundred megabytes a second a collection of the whole heap twice a second.
 *
 * INVARIANT  A slab is with one holder at a time. What is never given back is the collector's, like any other buffer.
 */
export interface Slabs {
  /** @returns at least so many octets, of any content */
  take(octets: number): Buffer
  /** @param slab from `take`; the caller neither reads nor writes it any more, nor does anybody whom it gave a part of it */
  give(slab: Buffer): void
}

/** For those who keep their mails. */
export const freshSlabs: Slabs = { take: (octets) => Buffer.allocUnsafe(octets), give: () => {} }

/** Powers of two, so that mails of one campaign, which differ by a few octets, share them. */
const SMALLEST = 4_096
/** A larger mail is rare, and its own transfer takes far longer than its memory. */
const LARGEST = 1_048_576
/** What lies idle; the slabs of a hundred sessions with mails of 100 KB. */
const IDLE_OCTETS = 16_777_216

/** The one that came back last goes first: the processor still has it at hand. */
export function pooledSlabs(): Slabs {
  const idle = new Map<number, Buffer[]>()
  let idleOctets = 0

  return {
    take(octets) {
      if (octets > LARGEST) return Buffer.allocUnsafeSlow(octets)
      const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(octets)))
      const slab = idle.get(size)?.pop()
      if (slab === undefined) return Buffer.allocUnsafeSlow(size)
      idleOctets -= size
      return slab
    },
    give(slab) {
      const size = slab.length
      if (size > LARGEST || idleOctets + size > IDLE_OCTETS) return
      const alike = idle.get(size)
      if (alike === undefined) idle.set(size, [slab])
      else alike.push(slab)
      idleOctets += size
    },
  }
}
