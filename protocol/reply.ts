import type { Reply } from './outcome.ts'

/** Reads `550 5.1.1 text`, `421-4.7.28 text`, `554 text` (RFC 5321 4.2, RFC 2034); null when it is not a reply. */
export function readReply(line: string): Reply | null {
  const match = /^([2-5]\d\d)[ -](?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?(.{0,2000})$/su.exec(line)
  if (!match) return null
  return { code: Number(match[1]), enhanced: match[2] ?? null, text: match[3] ?? '' }
}

/** Whether an expression costs time in proportion to the text at worst: what peers write must not be able to stop a sender.
 *  Null, or what to write instead. */
export function whyNotLinear(source: string): string | null {
  if (/\\[1-9]|\\k</.test(source)) return 'back references are not allowed'
  if (/\(\?<?[=!]/.test(source)) return 'looking ahead or behind is not allowed'
  const groups: boolean[] = [false]
  let product = 1
  for (let at = 0; at < source.length; at++) {
    const char = source[at]
    if (char === '\\') at++
    else if (char === '[') at = endOfClass(source, at)
    else if (char === '(') groups.push(false)
    else if (char === '|' && groups.length === 1) product = 1
    else if (char === ')') {
      const inner = groups.pop() ?? false
      if (inner && /^[*+{]/.test(source.slice(at + 1))) return 'a repetition inside a repetition is not allowed'
      if (inner) groups[groups.length - 1] = true
    } else if (char === '*' || char === '+') return `"${char}" has no end: write {0,80} or the like`
    else if (char === '{') {
      const bounds = /^\{(\d+)(?:,(\d*))?\}/.exec(source.slice(at))
      if (!bounds) continue
      if (bounds[2] === '') return `"${bounds[0]}" has no end: give it one`
      product *= Math.max(1, Number(bounds[2] ?? bounds[1]))
      if (product > 20_000) return 'too many repetitions behind each other: their bounds multiply to more than 20,000'
      groups[groups.length - 1] = true
    }
  }
  return null
}

function endOfClass(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === ']') return at
  }
  return source.length
}
