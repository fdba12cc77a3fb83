import { base64Pieces } from './base64.ts'
import { relaxedLines, relaxedPiece, withoutLastLineEnds } from './canonical.ts'
import { oneByte } from './one-byte.ts'
import { joinQuoted, quotedTexts, quotedValue } from './quoted-printable.ts'
import { shortLines } from './short-lines.ts'
import { joinSlots, type Slotted } from './slots.ts'

/** Text bodies in a form that every hop carries unchanged: ASCII, CRLF, short lines (RFC 2045 6; RFC 5321 4.5.3.1.6). */

export type TransferEncoding = '7bit' | 'quoted-printable' | 'base64'

export interface EncodedText {
  readonly encoding: TransferEncoding
  /** ASCII, lines ended by CRLF, the last one not */
  readonly body: string
  /** the same as DKIM hashes it (RFC 6376 3.4.4, relaxed); the very same string where blanks need no change */
  readonly canonical: string
}

type Pieces = Pick<Slotted, 'texts' | 'order' | 'uses'>

const LINE = 76
const SHORT_ASCII_LINES = new RegExp(`^(?:[\\t\\x20-\\x7e]{0,${LINE}}\\r\\n)*[\\t\\x20-\\x7e]{0,${LINE}}$`)
const LONG_OR_BEYOND_ASCII = new RegExp(`[^\\r\\n\\t\\x20-\\x7e]|[\\t\\x20-\\x7e]{${LINE + 1}}`)
/** Mailbox files write `>From ` for it, which breaks signatures. */
const FROM_LINE = /^From /m

/**
 * How a template's text becomes a body: what is the same for all recipients is encoded once, each value where it stands.
 *
 * The shortest encoding that fits is taken: as it is, else whichever of the two others is smaller. Line ends become CRLF, NUL is dropped.
 * @returns for the values of the template's slots, in their order
 */
export function bodyOf({ texts, order, uses }: Pieces): (values: readonly string[]) => EncodedText {
  const fixed = texts.map(clean)
  const ascii = fixed.every((text) => !LONG_OR_BEYOND_ASCII.test(text))
  const size = fixed.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const beyond = fixed.reduce((sum, text) => sum + beyondAscii(text), 0)
  const quick = ascii ? shortLines(fixed.map(oneByte), order) : null
  let quoted: ((values: readonly string[]) => EncodedText) | undefined
  let base64: ((values: readonly string[]) => string) | undefined

  return (values) => {
    const cleaned = values.map(clean)
    if (quick) {
      const asSeen = quick(cleaned)
      if (asSeen !== null) return { encoding: '7bit', ...asSeen }
      const text = joinSlots(fixed, order, cleaned)
      if (SHORT_ASCII_LINES.test(text) && !FROM_LINE.test(text)) return asItIs(withoutLastLineEnds(text))
    }
    let octets = size
    let wide = beyond
    for (let at = 0; at < cleaned.length; at++) {
      const value = cleaned[at]!
      const times = uses[at] ?? 0
      const bytes = Buffer.byteLength(value)
      octets += bytes * times
      if (bytes !== value.length) wide += beyondAscii(value) * times
    }
    // Quoted-printable adds two octets to each octet beyond ASCII, base 64 a third to all.
    if (wide * 6 > octets) {
      base64 ??= base64Pieces(fixed, order)
      const body = base64(cleaned)
      return { encoding: 'base64', body, canonical: body }
    }
    quoted ??= quotedPieces(fixed, order)
    return quoted(cleaned)
  }
}

/** A text that is one recipient's alone. */
export function encodeTextBody(text: string): EncodedText {
  return bodyOf({ texts: [text], order: [], uses: [] })([])
}

function quotedPieces(texts: readonly string[], order: readonly number[]): (values: readonly string[]) => EncodedText {
  const fixed = quotedTexts(texts)
  const canonical = fixed.map(relaxedPiece)
  const blanksStand = fixed.every((text, at) => text === canonical[at])
  // A mail that ends in a value ends its last line itself.
  const endsInValue = order.length > 0 && fixed.at(-1) === ''
  return (values) => {
    const encoded = values.map(quotedValue)
    const body = joinQuoted(fixed, order, encoded)
    const relaxed = encoded.map(relaxedPiece)
    const same = blanksStand && encoded.every((value, at) => value === relaxed[at])
    const whole: EncodedText = { encoding: 'quoted-printable', body, canonical: same ? body : joinQuoted(canonical, order, relaxed) }
    return endsInValue ? withoutSoftEnd(whole) : whole
  }
}

/** A soft break at the very end would leave the last line open; a blank before it must not end a line. */
function withoutSoftEnd(whole: EncodedText): EncodedText {
  if (!whole.body.endsWith('=\r\n')) return whole
  const open = whole.body.slice(0, -3)
  const body = open.replace(/[ \t]$/, (blank) => (blank === ' ' ? '=20' : '=09'))
  return { ...whole, body, canonical: relaxedLines(body) }
}

function asItIs(text: string): EncodedText {
  return { encoding: '7bit', body: text, canonical: relaxedLines(text) }
}

function clean(text: string): string {
  if (!/[\0\r\n\ud800-\udfff]/.test(text)) return text
  return text
    .toWellFormed()
    .replaceAll('\0', '')
    .replace(/\r\n|\r|\n/g, '\r\n')
}

function beyondAscii(text: string): number {
  let count = 0
  for (const byte of Buffer.from(text)) if (byte > 0x7f) count++
  return count
}
