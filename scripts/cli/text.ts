/** How wide a text stands in a terminal, and cutting it by that: names are Japanese as often as not. */
import { stripVTControlCharacters } from 'node:util'

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u
/** Half-width forms of wide scripts. */
const NARROW = /[\uff61-\uffdc]/
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Columns; colours count nothing. */
export function widthOf(text: string): number {
  let width = 0
  for (const letter of stripVTControlCharacters(text)) width += widthOfLetter(letter)
  return width
}

function widthOfLetter(letter: string): number {
  if (letter >= ' ' && letter <= '~') return 1
  return ZERO.test(letter) ? 0 : WIDE.test(letter) && !NARROW.test(letter) ? 2 : 1
}

/** At most `width` columns, `…` where something was cut. For texts without colours. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let [kept, used] = ['', 0]
  for (const letter of text) {
    used += widthOfLetter(letter)
    if (used > width - 1) break
    kept += letter
  }
  return width < 1 ? '' : `${kept}…`
}

export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return side === 'left' ? text + space : space + text
}

/** What strangers wrote (replies of mail servers, names in campaigns) must not steer the terminal: control characters become `·`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (letter) => (letter === '\n' || letter === '\t' ? ' ' : '·'))
}

/** Words into lines of at most `width` columns; a no-break space keeps two together. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/[ \t\r\n]+/)) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
