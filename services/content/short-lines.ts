import { relaxedLines, relaxedPiece, withoutLastLineEnds } from './canonical.ts'
import { joinSlots } from './slots.ts'

/**
 * ASCII texts in short lines with values in them, as they are: every line that has no value in it is looked at once per campaign. For a body of
 * 100 KB that is a tenth of what looking at each mail costs.
 */

const LINE = 76
/** Something, with no blank at its ends: then no run of blanks, and no blank before a line's end, is made of two pieces. */
const PLAIN_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]{0,74}[\x21-\x7e])?$/
const FROM = 'From '
const FROM_LINE = /^From /m
const FROM_BELOW = /\r\nFrom /

/** What a text does to the lines that values stand in. */
interface Edges {
  /** octets up to its first line end, or all */
  readonly head: number
  /** octets behind its last line end; null where it has none */
  readonly tail: number | null
}

/** @param texts ASCII, none with a longer line in itself. @returns null where the mail must be looked at as a whole: because of its values, or of a line that is too long */
export function shortLines(
  texts: readonly string[],
  order: readonly number[],
): ((values: readonly string[]) => { readonly body: string; readonly canonical: string } | null) | null {
  const last = texts.length - 1
  if (texts.some((text, at) => (at === 0 ? FROM_LINE : FROM_BELOW).test(text))) return null
  const bodies = texts.map((text, at) => (at === last ? withoutLastLineEnds(text) : text))
  const canonical = bodies.map((text, at) => (at === last ? relaxedLines(text) : relaxedPiece(text)))
  const blanksStand = bodies.every((text, at) => text === canonical[at])
  const edges = bodies.map((text): Edges => {
    const first = text.indexOf('\r\n')
    return first < 0 ? { head: text.length, tail: null } : { head: first, tail: text.length - text.lastIndexOf('\r\n') - 2 }
  })
  const beginnings = lineBeginnings(bodies, order)

  return (values) => {
    if (!order.every((slot) => values[slot] !== undefined) || !values.every((value) => PLAIN_VALUE.test(value))) return null
    if (beginnings.some(({ text, slot }) => couldBeFrom(text + values[slot]!))) return null
    let line = 0
    for (let at = 0; at <= last; at++) {
      const { head, tail } = edges[at]!
      line += head
      if (line > LINE) return null
      if (tail !== null) line = tail
      if (at < last) line += values[order[at]!]!.length
    }
    const body = joinSlots(bodies, order, values)
    const relaxed = values.map(relaxedPiece)
    const same = blanksStand && values.every((value, at) => value === relaxed[at])
    return { body, canonical: same ? body : joinSlots(canonical, order, relaxed) }
  }
}

/** Which values stand so near the beginning of a line that they could make it a `From ` line; each kind of place once. */
function lineBeginnings(texts: readonly string[], order: readonly number[]): { readonly text: string; readonly slot: number }[] {
  const found = new Map<string, { readonly text: string; readonly slot: number }>()
  for (const [at, slot] of order.entries()) {
    const spelled = texts[at]!
    const end = spelled.lastIndexOf('\r\n')
    if (end < 0 && at > 0) continue // another value stands before it in this line, and is not empty
    const text = end < 0 ? spelled : spelled.slice(end + 2)
    if (FROM.startsWith(text)) found.set(`${slot} ${text}`, { text, slot })
  }
  return [...found.values()]
}

/** NOTE A value that ends within `From` is left to whoever looks at the whole: what follows decides. */
function couldBeFrom(text: string): boolean {
  return text.startsWith(FROM) || FROM.startsWith(text)
}
