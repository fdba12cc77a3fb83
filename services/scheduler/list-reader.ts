import type { Problem, Recipient } from '../../protocol/campaign.ts'
import type { Kind } from '../../protocol/words.ts'
import { readRecipient } from './acceptance.ts'

/** A line of a list: whom it names or what is wrong with it. `after` = octets of the list up to and with this line. */
export type ListLine =
  | { readonly kind: 'recipient'; readonly recipient: Recipient; readonly line: number; readonly after: number }
  | { readonly kind: 'unusable'; readonly problems: readonly Problem[]; readonly line: number; readonly after: number }
  | { readonly kind: 'blank'; readonly line: number; readonly after: number }

/** A line longer than this is no recipient; it bounds memory whatever the object holds. */
const LINE_MAX_BYTES = 262_144
const LF = 0x0a
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads NDJSON (a recipient a line) or CSV (header row: address, name, ref, the rest are vars; RFC 4180 quoting, no line breaks inside a field)
 * chunk by chunk in constant memory. Lines come by the chunk: a promise for each would take as long as reading it.
 */
export async function* readList(chunks: AsyncIterable<Uint8Array>, format: 'ndjson' | 'csv', kind: Kind): AsyncGenerator<readonly ListLine[]> {
  const read = format === 'csv' ? csvReader(kind) : (text: string) => ndjsonLine(text, kind)
  let line = 0
  let after = 0
  const lineOf = ({ bytes, length, tooLong }: RawLine): ListLine => {
    line++
    after += length
    if (tooLong) return { kind: 'unusable', line, after, problems: [{ path: `line ${line}`, message: `is longer than ${LINE_MAX_BYTES} octets` }] }
    let text: string
    try {
      text = utf8
        .decode(bytes)
        .replace(/^\uFEFF/, '')
        .trimEnd()
    } catch {
      return { kind: 'unusable', line, after, problems: [{ path: `line ${line}`, message: 'is not UTF-8' }] }
    }
    const found = text === '' ? null : read(text)
    if (found === null) return { kind: 'blank', line, after }
    if ('recipient' in found) return { kind: 'recipient', recipient: found.recipient, line, after }
    return { kind: 'unusable', line, after, problems: found.problems.map(({ path, message }) => ({ path: `line ${line}${path ? ` ${path}` : ''}`, message })) }
  }
  for await (const some of linesOf(chunks)) yield some.map(lineOf)
}

/** By its name or, failing that, by its first octet. */
export function listFormat(name: string, firstByte: number | undefined): 'ndjson' | 'csv' {
  if (/\.csv$/i.test(name)) return 'csv'
  if (/\.(nd)?jsonl?$/i.test(name)) return 'ndjson'
  return firstByte === 0x7b ? 'ndjson' : 'csv'
}

type Found = ReturnType<typeof readRecipient> | null

function ndjsonLine(text: string, kind: Kind): Found {
  try {
    return readRecipient(JSON.parse(text), kind)
  } catch (error) {
    return { problems: [{ path: '', message: `is not JSON (${error instanceof Error ? error.message : error})` }] }
  }
}

function csvReader(kind: Kind): (text: string) => Found {
  let header: readonly string[] | null = null
  return (text) => {
    const fields = csvFields(text)
    if (fields === null) return { problems: [{ path: '', message: 'has a quote that is not closed' }] }
    if (header === null) {
      header = fields.map((name) => name.trim())
      return header.includes('address') ? null : { problems: [{ path: '', message: 'the header row has no column "address"' }] }
    }
    const recipient: Record<string, unknown> = {}
    const vars: Record<string, string> = {}
    for (const [at, name] of header.entries()) {
      const value = fields[at] ?? ''
      if (name === 'address') recipient.address = value.trim()
      else if (name === 'name' || name === 'ref') {
        if (value !== '') recipient[name] = value
      } else if (name !== '') vars[name] = value
    }
    return readRecipient({ ...recipient, vars }, kind)
  }
}

/** RFC 4180 fields of one line; null when a quote stays open. */
export function csvFields(text: string): string[] | null {
  if (!text.includes('"')) return text.split(',')
  const fields: string[] = []
  let at = 0
  for (;;) {
    let field = ''
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) return null
        if (text[at] !== '"') field += text[at]
        else if (text[at + 1] === '"') field += text[++at]
        else break
      }
      at++
    }
    while (at < text.length && text[at] !== ',') field += text[at++]
    fields.push(field)
    if (at >= text.length) return fields
    at++
  }
}

interface RawLine {
  readonly bytes: Uint8Array
  readonly length: number
  readonly tooLong: boolean
}

/** The lines that end in each chunk; the last one of all may have no end. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly RawLine[]> {
  let rest: Uint8Array[] = []
  let held = 0 // octets of the line so far, also of what was dropped because it is too long
  for await (const chunk of chunks) {
    const lines: RawLine[] = []
    let from = 0
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      const piece = chunk.subarray(from, at)
      held += piece.length
      lines.push({
        bytes: held > LINE_MAX_BYTES ? new Uint8Array() : rest.length ? Buffer.concat([...rest, piece]) : piece,
        length: held + 1,
        tooLong: held > LINE_MAX_BYTES,
      })
      rest = []
      held = 0
      from = at + 1
    }
    const tail = chunk.subarray(from)
    held += tail.length
    if (held <= LINE_MAX_BYTES) rest.push(tail)
    else rest = []
    yield lines
  }
  if (held > 0) yield [{ bytes: Buffer.concat(rest), length: held, tooLong: held > LINE_MAX_BYTES }]
}
