import { hash } from 'node:crypto'
import type { EncodedText } from './bodies.ts'
import { relaxedEnd, relaxedLines } from './canonical.ts'
import { oneByte } from './one-byte.ts'
import { BOUNDARY, bodyFields, type BodyKind, type Skeleton } from './skeleton.ts'

/** A body, put together from what the campaign shares and what is the recipient's own. */

export interface Mime {
  /** the last header fields of the mail, folded */
  readonly fields: readonly string[]
  /** ends with CRLF, dots not stuffed; begins with a text */
  readonly body: Pieces
  /** the body as DKIM hashes it (RFC 6376 3.4.4, relaxed), the very same pieces where that is the same; made when asked for */
  readonly canonical: () => Pieces
  /** no line of the body begins with a dot: nothing is to be stuffed */
  readonly withoutDots: boolean
}

/** In their order: ASCII texts, and octets that the campaign shares. */
export type Pieces = readonly (string | Uint8Array)[]

export type Encoded = ReadonlyMap<BodyKind, EncodedText>
export type Assemble = (encoded: Encoded, boundary: string) => Mime

type Form = 'body' | 'canonical'
/** A piece of every mail: octets as they are, or a text for the recipient's bodies and boundary. */
type Part = Uint8Array | ((encoded: Encoded, boundary: string, form: Form) => string)

/** What is the same in every mail is split and canonicalised here, once. */
export function assembler({ contentType, pieces }: Skeleton): Assemble {
  if (contentType === null) return assembleSingle
  const parts = pieces.map((piece): Part => {
    if (piece.kind === 'attachment') return piece.base64
    if (piece.kind === 'body') return (encoded, _, form) => bodyPart(piece.body, encoded.get(piece.body), form)
    const split = { body: piece.text.split(BOUNDARY).map(oneByte), canonical: relaxedLines(piece.text).split(BOUNDARY).map(oneByte) }
    return (_, boundary, form) => split[form].join(boundary)
  })
  const blanksStand = pieces.every((piece) => piece.kind !== 'glue' || relaxedLines(piece.text) === piece.text)
  const dotless = pieces.every((piece) => piece.kind !== 'glue' || !beginsALineWithDot(piece.text))
  const field = contentType.split(BOUNDARY)
  return (encoded, boundary) => {
    const body = together(parts, encoded, boundary, 'body')
    let same = blanksStand
    let withoutDots = dotless
    for (const text of encoded.values()) {
      same &&= text.body === text.canonical
      withoutDots &&= hasNoDots(text)
    }
    return { fields: [field.join(boundary)], body, canonical: () => (same ? body : together(parts, encoded, boundary, 'canonical')), withoutDots }
  }
}

function assembleSingle(encoded: Encoded): Mime {
  const [only] = encoded
  if (!only) return { fields: [], body: [], canonical: () => [], withoutDots: true }
  const [, text] = only
  const spelled = `${text.body}\r\n`
  const body = [spelled]
  const canonical = () => {
    const relaxed = relaxedEnd(text.canonical)
    return relaxed === spelled ? body : [relaxed]
  }
  return { fields: bodyFields(...only), body, canonical, withoutDots: hasNoDots(text) }
}

function bodyPart(kind: BodyKind, text: EncodedText | undefined, form: Form): string {
  return text === undefined ? '' : `${bodyFields(kind, text).join('\r\n')}\r\n\r\n${text[form]}`
}

/** Neighbouring texts as one. */
function together(parts: readonly Part[], encoded: Encoded, boundary: string, form: Form): Pieces {
  const pieces: (string | Uint8Array)[] = []
  let text = ''
  for (const part of parts) {
    if (typeof part === 'function') text += part(encoded, boundary, form)
    else {
      pieces.push(text, part)
      text = ''
    }
  }
  if (text !== '') pieces.push(text)
  return pieces
}

/** `quoted-printable.ts` writes `=2E` for a dot at the start of a line, base 64 has none. */
function hasNoDots({ encoding, body }: EncodedText): boolean {
  return encoding !== '7bit' || !beginsALineWithDot(body)
}

function beginsALineWithDot(text: string): boolean {
  return text.startsWith('.') || text.includes('\r\n.')
}

/** How much of a slab `writePieces` wants. */
export function lengthOfTexts(pieces: Pieces): number {
  let length = 0
  for (const piece of pieces) if (typeof piece === 'string') length += piece.length
  return length
}

/** The texts one after the other from `at` on, attachments by reference. @returns the chunks in their order */
export function writePieces(pieces: Pieces, slab: Buffer, at: number): Uint8Array[] {
  let from = at
  return pieces.map((piece) => {
    if (typeof piece !== 'string') return piece
    const begin = from
    from += slab.write(piece, begin, 'latin1')
    return slab.subarray(begin, from)
  })
}

/** As long as `BOUNDARY`, and a function of the recipient: a retry has the same octets, and no text can have guessed it. A Message-ID of `verp.ts` is a hash already. */
export function boundaryOf(messageId: string): string {
  return OWN_MESSAGE_ID.exec(messageId)?.[1] ?? hash('sha256', `boundary\0${messageId}`, 'hex').slice(0, BOUNDARY.length)
}

const OWN_MESSAGE_ID = new RegExp(`^<([a-z2-7]{${BOUNDARY.length}})[a-z2-7]{8}@`)

const DOT = 0x2e
const LF = 0x0a
const LINE_BEGINS_WITH_DOT = Buffer.from('\r\n.')
const NONE: readonly Uint8Array[] = []

/** RFC 5321 4.5.2: each chunk as it was, or with its leading dots doubled. Every chunk begins at the start of a line or behind a text without one. */
export function stuffDots(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  let stuffed: Uint8Array[] | null = null
  let atLineStart = true
  for (const [at, chunk] of chunks.entries()) {
    const cut = cutAtDots(chunk, atLineStart)
    if (cut !== NONE) stuffed ??= chunks.slice(0, at) as Uint8Array[]
    stuffed?.push(...(cut === NONE ? [chunk] : cut))
    if (chunk.length > 0) atLineStart = chunk[chunk.length - 1] === LF
  }
  return stuffed ?? chunks
}

/** The chunk in pieces, each of which but the last ends with the first of two dots; NONE where no line begins with one. */
function cutAtDots(chunk: Uint8Array, atLineStart: boolean): readonly Uint8Array[] {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const pieces: Uint8Array[] = []
  let from = 0
  if (atLineStart && bytes[0] === DOT) pieces.push(bytes.subarray(0, 1))
  for (let at = bytes.indexOf(LINE_BEGINS_WITH_DOT); at >= 0; at = bytes.indexOf(LINE_BEGINS_WITH_DOT, at + 3)) {
    pieces.push(bytes.subarray(from, at + 3))
    from = at + 2 // the dot once more
  }
  if (pieces.length === 0) return NONE
  return [...pieces, bytes.subarray(from)]
}
