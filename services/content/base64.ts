import { encode, wrap } from 'nodemailer/lib/base64'

/** Base 64 (RFC 2045 6.8) whose unchanging parts are encoded once, although a value before them shifts everything by its length. */

const LINE = 76

/** Base 64 in lines of 76, the last one without its CRLF. */
export function encodeAttachment(bytes: Uint8Array): string {
  return wrap(encode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)), LINE)
}

/** What `encodeAttachment` will make of `bytes` octets, in octets. */
export function encodedSize(bytes: number): number {
  const characters = Math.ceil(bytes / 3) * 4
  return characters + Math.ceil(characters / LINE) * 2
}

/** A text without its first 0, 1 or 2 octets, as lines each ended by CRLF but the body's last one, and the octets that do not fill three. */
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
    const isLast = at === fixed.length - 1 && end === bytes.length
    return { lines: encodeAttachment(bytes.subarray(skip, end)) + (isLast ? '' : '\r\n'), rest: bytes.subarray(end) }
  }

  // What the lines of a value are made of: octets that the text before it left over, the value, octets that it takes from the text behind it.
  let junction = Buffer.alloc(256)
  let held = 0

  function hold(bytes: Uint8Array, end: number): void {
    room(end)
    for (let at = 0; at < end; at++) junction[held++] = bytes[at]!
  }

  function room(octets: number): void {
    if (junction.length - held < octets) junction = Buffer.concat([junction.subarray(0, held)], 2 * (held + octets))
  }

  function lines(): string {
    const encoded = held * 4 <= LINE * 3 ? junction.toString('base64', 0, held) : encodeAttachment(junction.subarray(0, held))
    held = 0
    return encoded
  }

  return (values) => {
    let out = ''
    held = 0
    for (let at = 0; at < fixed.length; at++) {
      const bytes = fixed[at]!
      const skip = (3 - (held % 3)) % 3
      if (bytes.length < skip + 3) hold(bytes, bytes.length)
      else {
        if (held > 0) {
          hold(bytes, skip)
          out += `${lines()}\r\n`
        }
        shifted[at]![skip] ??= cut(at, skip)
        const ready = shifted[at]![skip]!
        out += ready.lines
        hold(ready.rest, ready.rest.length)
      }
      if (at === order.length) break
      const value = values[order[at]!] ?? ''
      room(value.length * 3)
      held += junction.write(value, held)
    }
    if (held > 0) return out + lines()
    // NOTE Only where the body ends in nothing: cutting makes one string of all, which at 100 KB takes as long as the rest.
    return fixed.at(-1)!.length === 0 && out.endsWith('\r\n') ? out.slice(0, -2) : out
  }
}
