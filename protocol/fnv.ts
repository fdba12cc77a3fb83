/** FNV-1a, a hash that every process of every version computes alike: for names of things, never against an adversary. */

/** 32 bits, over UTF-16 units. */
export function fnv32(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

const PRIME_64 = 0x100000001b3n
const MASK_64 = 0xffffffffffffffffn

/** 64 bits as 16 hex digits. Slow (big integers): for rare names. */
export function fnv64Hex(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (let at = 0; at < text.length; at += 1) hash = ((hash ^ BigInt(text.charCodeAt(at))) * PRIME_64) & MASK_64
  return hash.toString(16).padStart(16, '0')
}
