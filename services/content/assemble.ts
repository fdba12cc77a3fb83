import { createHash } from 'node:crypto'
import type { EncodedText } from './bodies.ts'
import { BOUNDARY, bodyFields, type BodyKind, type Piece, type Skeleton } from './skeleton.ts'

/** The octets of a mail, put together from what the campaign shares and what is the recipient's own. */

export interface Mime {
  /** the last header fields of the mail, folded */
  readonly fields: readonly string[]
  /** ends with CRLF; dots not stuffed */
  readonly body: Uint8Array
}

export function assemble({ contentType, pieces }: Skeleton, encoded: ReadonlyMap<BodyKind, EncodedText>, boundary: string): Mime {
  if (contentType === null) {
    const [only] = encoded
    if (!only) return { fields: [], body: new Uint8Array() }
    return { fields: bodyFields(...only), body: Buffer.from(`${only[1].body}\r\n`, 'latin1') }
  }
  const body = Buffer.concat(pieces.map((piece) => pieceBytes(piece, encoded, boundary)))
  return { fields: [contentType.replaceAll(BOUNDARY, boundary)], body }
}

function pieceBytes(piece: Piece, encoded: ReadonlyMap<BodyKind, EncodedText>, boundary: string): Uint8Array {
  if (piece.kind === 'attachment') return piece.base64
  if (piece.kind === 'glue') return Buffer.from(piece.text.replaceAll(BOUNDARY, boundary), 'latin1')
  const text = encoded.get(piece.body)
  return text ? Buffer.from(`${bodyFields(piece.body, text).join('\r\n')}\r\n\r\n${text.body}`, 'latin1') : new Uint8Array()
}

/** As long as `BOUNDARY`, and a function of the recipient: a retry has the same octets, and no text can have guessed it. */
export function boundaryOf(messageId: string): string {
  return createHash('sha256').update(`boundary\0${messageId}`).digest('hex').slice(0, BOUNDARY.length)
}

const LINE_BEGINS_WITH_DOT = Buffer.from('\r\n.')

/** RFC 5321 4.5.2. A mail begins with a header field, so every dot to double stands behind a CRLF. */
export function stuffDots(mail: Uint8Array): Uint8Array {
  const bytes = Buffer.from(mail.buffer, mail.byteOffset, mail.byteLength)
  const stuffed: Uint8Array[] = []
  let from = 0
  for (let at = bytes.indexOf(LINE_BEGINS_WITH_DOT); at >= 0; at = bytes.indexOf(LINE_BEGINS_WITH_DOT, at + 3)) {
    stuffed.push(bytes.subarray(from, at + 3))
    from = at + 2 // the dot once more
  }
  return stuffed.length === 0 ? bytes : Buffer.concat([...stuffed, bytes.subarray(from)])
}
