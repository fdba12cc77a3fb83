import { addressProblem } from '../../protocol/addresses.ts'
import { type Problem, problemsOf } from '../../protocol/campaign.ts'
import { SuppressionEntry } from '../../protocol/messages/ops.ts'
import { csvFields } from './list-reader.ts'

export const COLUMNS = ['address', 'reason', 'list', 'since', 'until', 'reply'] as const
/** problems that are told one by one */
const TOLD = 1_000
/** A record longer than this is none: it bounds memory whatever the file holds, above all behind a quote that is never closed. */
const RECORD_MAX = 16_384

/** A record of the file, at the line where it begins. */
export type SuppressionLine =
  | { readonly kind: 'entry'; readonly line: number; readonly entry: SuppressionEntry }
  | { readonly kind: 'unusable'; readonly line: number; readonly problems: readonly Problem[] }

/**
 * A suppression list as CSV (RFC 4180; quoted fields may hold line breaks) with a header row, in any order of columns; a file of bare addresses needs none.
 * Columns that are not ours are passed over. In constant memory.
 */
export async function* readSuppressionCsv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SuppressionLine> {
  let header: readonly string[] | null = null
  for await (const { line, text } of recordsOf(chunks)) {
    const fields = text.length > RECORD_MAX ? null : csvFields(text)
    if (fields === null) {
      const message = text.length > RECORD_MAX ? `is longer than ${RECORD_MAX} characters` : 'has a quote that is not closed'
      yield { kind: 'unusable', line, problems: [{ path: `line ${line}`, message }] }
    } else if (header === null && !(fields.length === 1 && text.includes('@'))) {
      header = fields.map((name) => name.trim().toLowerCase())
      if (header.includes('address')) continue
      yield { kind: 'unusable', line, problems: [{ path: `line ${line}`, message: 'is the header and names no column "address"' }] }
      return
    } else {
      header ??= ['address']
      yield entryOfFields(header, fields, line)
    }
  }
}

/** What is wrong with a whole file: the first thousand, and how many lines there are. */
export interface Checked {
  readonly usable: number
  readonly unusable: number
  readonly problems: readonly Problem[]
}

export async function checkSuppressionCsv(chunks: AsyncIterable<Uint8Array>, tell: (lines: number) => void = () => {}): Promise<Checked> {
  let [usable, unusable] = [0, 0]
  const problems: Problem[] = []
  for await (const read of readSuppressionCsv(chunks)) {
    if (read.kind === 'entry') usable++
    else {
      unusable++
      if (problems.length < TOLD) problems.push(...read.problems)
    }
    tell(usable + unusable)
  }
  return { usable, unusable, problems }
}

export function csvHeader(): string {
  return `${COLUMNS.join(',')}\n`
}

export function csvLine(entry: SuppressionEntry): string {
  return `${COLUMNS.map((column) => quoted(String(entry[column] ?? ''))).join(',')}\n`
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function entryOfFields(header: readonly string[], fields: readonly string[], line: number): SuppressionLine {
  const row: Record<string, string> = {}
  for (const [at, column] of header.entries()) {
    const value = fields[at]?.trim() ?? ''
    if (value !== '' && (COLUMNS as readonly string[]).includes(column)) row[column] = value
  }
  const problem = addressProblem(row.address ?? '')
  if (problem !== null) return { kind: 'unusable', line, problems: [{ path: `line ${line} address`, message: problem }] }
  const read = SuppressionEntry.safeParse(row)
  if (read.success) return { kind: 'entry', line, entry: read.data }
  return { kind: 'unusable', line, problems: problemsOf(read.error).map(({ path, message }) => ({ path: `line ${line} ${path}`, message })) }
}

/** Lines, those with an open quote joined with the next ones; empty ones left out. */
async function* recordsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  let line = 0
  let open: { readonly line: number; text: string } | null = null
  for await (const text of linesOf(chunks)) {
    line++
    const record: { readonly line: number; text: string } = open === null ? { line, text } : { line: open.line, text: `${open.text}\n${text}` }
    open = hasOpenQuote(record.text) && record.text.length <= RECORD_MAX ? record : null
    if (open === null && record.text.trim() !== '') yield record
  }
  if (open !== null) yield open
}

function hasOpenQuote(text: string): boolean {
  if (!text.includes('"')) return false
  let quotes = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 1
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder() // drops a byte order mark
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() as string
    if (rest.length > RECORD_MAX) rest = rest.slice(0, RECORD_MAX + 1)
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}
