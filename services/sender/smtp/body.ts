import { InvariantBroken } from '../../runtime/errors.ts'

const LF = 0x0a
const CR = 0x0d
const DOT = 0x2e
/** RFC 5321 4.5.3.1.6, without CRLF and without the dot that stuffing adds. */
const MAX_LINE = 998
const EXTRA_DOT = Buffer.from('.')

/** Doubles the dot at the start of each line (RFC 5321 4.5.2). Where no line starts with one, the same bytes come back, uncopied. */
export function dotStuff(body: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  let copied = 0
  for (let dot = body.indexOf(DOT); dot >= 0; dot = body.indexOf(DOT, dot + 1)) {
    if (dot > 0 && body[dot - 1] !== LF) continue
    parts.push(body.subarray(copied, dot), EXTRA_DOT)
    copied = dot
  }
  if (copied === 0 && parts.length === 0) return body
  parts.push(body.subarray(copied))
  return Buffer.concat(parts)
}

/** Why these bytes may not stand between 354 and the dot, or null: an empty body (its dot would be a lone one), a bare CR or LF, a NUL,
 *  a line over 998, a leading dot that is not doubled, no CRLF at the end. */
export function whyUnsendable(body: Uint8Array): string | null {
  const end = body.length
  if (end < 2 || body[end - 2] !== CR || body[end - 1] !== LF) return 'it does not end in CRLF'
  let lineStart = 0
  for (let i = 0; i < end; i++) {
    const byte = body[i]
    if (byte === 0) return `NUL at byte ${i}`
    if (byte === LF) return `bare LF at byte ${i}`
    if (byte !== CR) continue
    if (body[i + 1] !== LF) return `bare CR at byte ${i}`
    const stuffed = body[lineStart] === DOT ? 1 : 0
    if (stuffed === 1 && body[lineStart + 1] !== DOT) return `a leading dot that is not doubled at byte ${lineStart}`
    if (i - lineStart - stuffed > MAX_LINE) return `a line of ${i - lineStart - stuffed} bytes at byte ${lineStart}`
    i += 1
    lineStart = i + 1
  }
  return null
}

/** Throws InvariantBroken unless the stuffed body may be sent as it is. Reads every byte: once per rendered mail, by the composer. */
export function assertSendable(body: Uint8Array): void {
  const why = whyUnsendable(body)
  if (why !== null) throw new InvariantBroken('sendable-body', `this body must not be sent: ${why}`)
}

/** The engine's cheap look at what the composer already checked: there is something, and the dot will stand on a line of its own. */
export function assertEndsInCrlf(chunks: readonly Uint8Array[]): void {
  let last: number | undefined
  for (let c = chunks.length - 1; c >= 0; c--) {
    const chunk = chunks[c]!
    for (let i = chunk.length - 1; i >= 0; i--) {
      if (last === undefined) {
        if (chunk[i] !== LF) throw new InvariantBroken('sendable-body', 'a body that does not end in CRLF')
        last = LF
      } else {
        if (chunk[i] !== CR) throw new InvariantBroken('sendable-body', 'a body that does not end in CRLF')
        return
      }
    }
  }
  throw new InvariantBroken('sendable-body', 'a body that does not end in CRLF')
}
