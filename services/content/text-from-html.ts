import { compile } from 'html-to-text'
import { bodyOf, type EncodedText } from './bodies.ts'
import { joinSlots, type Slotted } from './slots.ts'

/** The text beside an HTML mail that brings none (delivery.md §10), for those who read text. */

/** Lines are not wrapped: Japanese has no spaces to wrap at. Headings keep their letters: `DEAR TARO` is nobody's name. */
export const textFromHtml: (html: string) => string = compile({
  wordwrap: false,
  selectors: [
    { selector: 'img', format: 'skip' },
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['( ', ' )'] } },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
})

/** Stand for a slot while the markup is read; of the private use area, and alike in every case and to every rule for blanks. */
const BEGIN = '\ue000'
const END = '\ue001'
const MARK = /\ue000(\d+)\ue001/g
const ANY_MARK = /[\ue000\ue001]/
/** Values that read the same in HTML and in text: something, and no blanks that HTML would join or drop. */
const STANDS_AS_IT_IS = /^[^\s\u200b]+(?: [^\s\u200b]+)*$/

/**
 * Reads the markup once for all recipients where values are text only; for whoever's values HTML would change, and where values bring
 * markup, the mail's own HTML is read.
 * @returns for the values of the HTML template's slots
 */
export function textBodyFromHtml(html: Slotted): (values: readonly string[]) => EncodedText {
  const once = html.textOnly ? readOnce(html) : null
  return (values) => {
    const plain = once === null ? null : values.map(unescapeHtml)
    if (once && plain?.every((value) => STANDS_AS_IT_IS.test(value))) return once(plain)
    const text = textFromHtml(joinSlots(html.texts, html.order, values))
    return bodyOf({ texts: [text], order: [], uses: [] })([])
  }
}

function readOnce(html: Slotted): ((values: readonly string[]) => EncodedText) | null {
  if (html.texts.some((text) => ANY_MARK.test(text))) return null
  const marked = joinSlots(
    html.texts,
    html.order,
    html.slots.map((_, slot) => `${BEGIN}${slot}${END}`),
  )
  const text = textFromHtml(marked)
  const texts: string[] = []
  const order: number[] = []
  const uses = html.slots.map(() => 0)
  let from = 0
  for (const mark of text.matchAll(MARK)) {
    const slot = Number(mark[1])
    texts.push(text.slice(from, mark.index))
    order.push(slot)
    uses[slot] = (uses[slot] ?? 0) + 1
    from = mark.index + mark[0].length
  }
  texts.push(text.slice(from))
  if (texts.some((piece) => ANY_MARK.test(piece))) return null // a mark that the reader took apart
  return bodyOf({ texts, order, uses })
}

const CHARACTERS: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'" }

function unescapeHtml(text: string): string {
  return text.includes('&') ? text.replace(/&(?:amp|lt|gt|#34|#39);/g, (entity) => CHARACTERS[entity] ?? entity) : text
}
