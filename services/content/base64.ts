import { encode, wrap } from 'nodemailer/lib/base64'

/** Base 64 (RFC 2045 6.8) whose unchanging parts are encoded once, although a value before them shifts everything by its length. */

const LINE = 76
const NOTHING = Buffer.alloc(0)

/** Base 64 in lines of 76, the last one without its CRLF. */
export function encodeAttachment(bytes: Uint8Array): string {
  return wrap(encode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)), LINE)
}

/** What `encodeAttachment` will make of `bytes` octets, in octets. */
export function encodedSize(bytes: number): number {
  const characters = Math.ceil(bytes / 3) * 4
  return characters + Math.ceil(characters / LINE) * 2
}

/** A text without its first 0, 1 or 2 octets, as lines each ended by CRLF, and the octets that do not fill three. */
interface Shifted {
  readonly lines: string
  readonly rest: Buffer
}

/**
 * @returns texts and values in turn, in one run of base 64. A value begins a line and takes along what the text before it left over
 *   and what the text behind it lacks to three octets; the rest of that text stands ready in each of the three ways it can be cut.
 */
export function base64Pieces(texts: readonly string[], order: readonly number[]): (values: readonly string[]) => string {
  const fixed = texts.map((text) => Buffer.from(text))
  const shifted: (Shifted | undefined)[][] = fixed.map(() => [])

  function cut(at: number, skip: number): Shifted {
    const bytes = fixed[at]!
    const end = bytes.length - ((bytes.length - skip) % 3)
    return { lines: `${encodeAttachment(bytes.subarray(skip, end))}\r\n`, rest: bytes.subarray(end) }
  }

  return (values) => {
    let out = ''
    let pending: Buffer = NOTHING
    for (let at = 0; at < fixed.length; at++) {
      const bytes = fixed[at]!
      const skip = (3 - (pending.length % 3)) % 3
      if (bytes.length < skip + 3) {
        pending = Buffer.concat([pending, bytes])
      } else {
        if (pending.length > 0) out += `${encodeAttachment(Buffer.concat([pending, bytes.subarray(0, skip)]))}\r\n`
        shifted[at]![skip] ??= cut(at, skip)
        const { lines, rest } = shifted[at]![skip]!
        out += lines
        pending = rest
      }
      if (at < order.length) pending = Buffer.concat([pending, Buffer.from(values[order[at]!] ?? '')])
    }
    if (pending.length > 0) return out + encodeAttachment(pending)
    return out.slice(0, -2)
  }
}
