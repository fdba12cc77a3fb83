import { pack, unpack } from 'msgpackr'

/** Records between our actors: plain msgpack, no records extension, so that a log reader in another language can read them too. */
export function encode(body: unknown): Uint8Array {
  return pack(body)
}

/** Throws on what is no msgpack; the caller parks it with its reason (style 8). */
export function decode<T>(bytes: Uint8Array): T {
  return unpack(bytes) as T
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Public bodies: JSON by default. */
export function encodeJson(body: unknown): Uint8Array {
  return utf8.encode(JSON.stringify(body))
}

/** The reading of a public body: JSON, or plain msgpack when the first byte is a msgpack map (0x80–0x8f, 0xde, 0xdf), which no JSON text begins with. */
export function decodePublic(bytes: Uint8Array): { kind: 'read'; body: unknown } | { kind: 'unreadable'; because: string } {
  if (bytes.length === 0) return { kind: 'read', body: {} }
  const first = bytes[0] as number
  try {
    if ((first & 0xf0) === 0x80 || first === 0xde || first === 0xdf) return { kind: 'read', body: unpack(bytes) }
    return { kind: 'read', body: JSON.parse(fromUtf8.decode(bytes)) }
  } catch (error) {
    return { kind: 'unreadable', because: error instanceof Error ? error.message : String(error) }
  }
}
