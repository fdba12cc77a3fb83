/** Bodies as DKIM hashes them, relaxed (RFC 6376 3.4.4). Lines end in CRLF. */

const SOME_BLANKS = /[ \t]{2}|\t|[ \t](?:\r\n|$)/

/** RFC 6376 3.4.4 within lines; empty lines at the end are the whole body's matter. */
export function relaxedLines(text: string): string {
  if (!SOME_BLANKS.test(text)) return text
  return text.replace(/[ \t]+/g, ' ').replace(/ (?=\r\n|$)/g, '')
}

/** The same for a piece of a body: what stands behind it is no blank, and no line's end where it ends in one. */
export function relaxedPiece(text: string): string {
  if (!SOME_BLANKS.test(text)) return text
  return text.replace(/[ \t]+/g, ' ').replaceAll(' \r\n', '\r\n')
}

/** RFC 6376 3.4.4 at the end: empty lines do not count, and a body of nothing else is empty. */
export function relaxedEnd(lines: string): string {
  const text = withoutLastLineEnds(lines)
  return text === '' ? '' : `${text}\r\n`
}

export function withoutLastLineEnds(text: string): string {
  let end = text.length
  while (text.endsWith('\r\n', end)) end -= 2
  return end === text.length ? text : text.slice(0, end)
}
