import { oneByte } from './one-byte.ts'
import { joinSlots } from './slots.ts'

/**
 * Quoted-printable (RFC 2045 6.7) of a text with values in it: the texts are laid out once, each value is put where it stands.
 * Lines of at most 76; no UTF-8 character is split between two; no line begins with a dot (which would have to be doubled) or with
 * `From ` (which mailbox files write as `>From `, and signatures break), none ends in a blank (which is lost on the way), and no run of
 * blanks goes from one piece into the next, so that what DKIM hashes can be made piece by piece (RFC 6376 3.4.4).
 */

const LINE = 76
const SOFT_BREAK = '=\r\n'
/** So much room is left for a value in its line: for a name, a number, a code. A longer one has lines of its own. */
const IN_LINE = 20
/** the longest character: four octets */
const CHARACTER = 12

const NOT_PLAIN = /[^\t\x20-\x3c\x3e-\x7e]/gu
const NEEDS_A_START = /^(?:\.|From )/
/** With what comes behind it this could be `From `. */
const IN_PART = /^F(?:r(?:om?)?)?$/
/** Most values. */
const PLAIN_VALUE = /^(?:[\x21-\x3c\x3e-\x7e](?:[\x20-\x3c\x3e-\x7e]{0,18}[\x21-\x3c\x3e-\x7e])?)?$/

/** @param texts well-formed, line ends CRLF; between each two of them goes a value of `quotedValue`, by `joinQuoted` */
export function quotedTexts(texts: readonly string[]): string[] {
  const last = texts.length - 1
  let column = 0
  let afterBlank = false
  return texts.map((text, at) => {
    let out = ''
    const lines = text.split('\r\n')
    for (const [nth, spelled] of lines.entries()) {
      const runsOn = nth === lines.length - 1 && at < last
      let rest = quoted(spelled)
      if (nth === 0 && afterBlank) rest = rest.replace(/^[ \t]/, encoded)
      if (!runsOn || losesBlank(texts, at)) rest = rest.replace(/[ \t]$/, encoded)
      const laid = lay(rest, column, runsOn ? 'value' : 'hard')
      out += laid.lines
      column = laid.column
      if (nth === lines.length - 1) continue
      out += '\r\n'
      column = 0
    }
    if (text !== '') afterBlank = /[ \t]$/.test(out)
    if (at < last) {
      if (column + IN_LINE > LINE - 1) {
        out += SOFT_BREAK
        column = 0
      }
      column += IN_LINE
    }
    return oneByte(out)
  })
}

/** One value: within a line, or in lines of its own, the last of which is ended. */
export function quotedValue(text: string): string {
  if (PLAIN_VALUE.test(text) && !NEEDS_A_START.test(text) && !IN_PART.test(text)) return text
  if (!text.includes('\r\n')) {
    const edges = quoted(text).replace(/^[ \t]|[ \t]$/g, encoded)
    const value = NEEDS_A_START.test(edges) || IN_PART.test(edges) ? withFirstEncoded(edges) : edges
    if (value.length <= IN_LINE) return oneByte(value)
  }
  return oneByte(inLines(text))
}

/** @param values of `quotedValue` */
export function joinQuoted(texts: readonly string[], order: readonly number[], values: readonly string[]): string {
  const alone = values.map((value) => value.endsWith('\r\n'))
  if (!alone.includes(true)) return joinSlots(texts, order, values)
  let out = texts[0] ?? ''
  let before = out
  for (let at = 0; at < order.length; at++) {
    const value = values[order[at]!] ?? ''
    const text = texts[at + 1] ?? ''
    if (alone[order[at]!] && before !== '' && !before.endsWith('\r\n')) out += SOFT_BREAK
    out += value + text
    before = text || value || before
  }
  return out
}

/** Lines that begin and end at the start of a line, softly at the end where the text does not end its line. */
function inLines(text: string): string {
  const lines = text.split('\r\n')
  const rest = lines.pop() ?? ''
  let out = ''
  for (const spelled of lines) out += `${lay(quoted(spelled).replace(/[ \t]$/, encoded), 0, 'hard').lines}\r\n`
  return rest === '' ? out : `${out}${lay(quoted(rest), 0, 'soft').lines}${SOFT_BREAK}`
}

/**
 * One line of text as one or more encoded ones, the first of which begins at `column` at the latest: where the value before it is empty, at the start.
 * @param end what stands behind it: a line's end, a soft one, or a value
 */
function lay(line: string, column: number, end: 'hard' | 'soft' | 'value'): { readonly lines: string; readonly column: number } {
  let rest = line
  let at = column
  let lines = ''
  for (;;) {
    if (NEEDS_A_START.test(rest) || (end === 'value' && IN_PART.test(rest))) rest = withFirstEncoded(rest)
    if (at + rest.length <= (end === 'hard' ? LINE : LINE - 1)) return { lines: lines + rest, column: at + rest.length }
    const room = LINE - 1 - at
    const cut = room < CHARACTER ? 0 : cutBefore(rest, room)
    lines += rest.slice(0, cut) + SOFT_BREAK
    rest = rest.slice(cut)
    at = 0
  }
}

/** Whether a blank at the end of this text would end a line if the values behind it are empty. */
function losesBlank(texts: readonly string[], at: number): boolean {
  const next = texts.slice(at + 1).find((text) => text !== '')
  return next === undefined || next.startsWith('\r\n')
}

/** The last place up to `at` where no `=XX` and no character is cut through, and at which no dot comes to begin a line if that can be helped. */
function cutBefore(text: string, at: number): number {
  const cut = cutBetween(text, at)
  return text[cut] === '.' && cut > 1 ? cutBetween(text, cut - 1) : cut
}

function cutBetween(text: string, at: number): number {
  let cut = at
  if (text[cut - 1] === '=') cut -= 1
  else if (text[cut - 2] === '=') cut -= 2
  while (cut > 3 && text[cut] === '=' && CONTINUES.test(text.slice(cut, cut + 3))) cut -= 3
  return cut
}

/** the second, third or fourth octet of a UTF-8 character */
const CONTINUES = /^=[89AB][0-9A-F]$/

function quoted(text: string): string {
  return text.replace(NOT_PLAIN, encoded)
}

function withFirstEncoded(text: string): string {
  return encoded(text[0] ?? '') + text.slice(1)
}

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
