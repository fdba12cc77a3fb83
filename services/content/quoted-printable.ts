/**
 * Quoted-printable (RFC 2045 6.7) in pieces that can be put together in any order, since each begins and ends at the start of a line.
 * Lines of at most 76; no UTF-8 character is split between two; no line begins with a dot (which would have to be doubled) or
 * with `From ` (which mailbox files write as `>From `, and signatures break).
 */

const LINE = 76
const SOFT_BREAK = '=\r\n'
const PLAIN_PIECE = /^[\x20-\x3c\x3e-\x7e]{0,70}$/
const NOT_PLAIN = /[^\t\x20-\x3c\x3e-\x7e]/gu
const NEEDS_A_START = /^(?:\.|From )/

/** @param text well-formed, line ends CRLF. @param more another piece follows: the last line is ended, softly where the text does not end it */
export function quotedPrintable(text: string, more: 'more' | 'end'): string {
  if (text === '') return ''
  // Most values: a name, a number, a code.
  if (more === 'more' && PLAIN_PIECE.test(text) && !NEEDS_A_START.test(text)) return text + SOFT_BREAK
  const lines = text.split('\r\n')
  const last = lines.length - 1
  let out = ''
  for (let at = 0; at < last; at++) out += `${line(lines[at] ?? '', 'hard')}\r\n`
  const rest = lines[last] ?? ''
  if (more === 'end') return out + line(rest, 'hard')
  return rest === '' ? out : `${out}${line(rest, 'soft')}${SOFT_BREAK}`
}

/** One line of text as one or more encoded ones. A blank before a hard end would be lost on the way. */
function line(text: string, end: 'hard' | 'soft'): string {
  let rest = NOT_PLAIN.test(text) ? text.replace(NOT_PLAIN, encoded) : text
  NOT_PLAIN.lastIndex = 0
  if (end === 'hard') rest = rest.replace(/[ \t]$/, encoded)
  const room = end === 'hard' ? LINE : LINE - 1
  let out = ''
  for (;;) {
    if (NEEDS_A_START.test(rest)) rest = encoded(rest[0] ?? '') + rest.slice(1)
    if (rest.length <= room) return out + rest
    const cut = cutBefore(rest, LINE - 1)
    out += rest.slice(0, cut) + SOFT_BREAK
    rest = rest.slice(cut)
  }
}

/** The last place up to `at` where no `=XX` and no character is cut through. */
function cutBefore(text: string, at: number): number {
  let cut = at
  if (text[cut - 1] === '=') cut -= 1
  else if (text[cut - 2] === '=') cut -= 2
  while (cut > 3 && text[cut] === '=' && CONTINUES.test(text.slice(cut, cut + 3))) cut -= 3
  return cut
}

/** the second, third or fourth octet of a UTF-8 character */
const CONTINUES = /^=[89AB][0-9A-F]$/

const known = new Map<string, string>()
/** Characters remembered: kanji and kana in use are some 3,000. */
const REMEMBERED = 10_000

function encoded(character: string): string {
  const before = known.get(character)
  if (before !== undefined) return before
  const hex = Buffer.from(character).toString('hex').toUpperCase()
  const after = hex.replace(/../g, '=$&')
  if (known.size < REMEMBERED) known.set(character, after)
  return after
}
