/**
 * Configuration is one table per service: name, unit, default, bounds, why. It is read once, before anything is connected;
 * whatever is wrong is named together, and a process that cannot be configured ends with exit code 78.
 */
import { formatDuration, parseDuration } from '../../protocol/duration.ts'
import { BadConfig } from './errors.ts'
import { nearest } from './nearest.ts'

/** `default: null` = may be absent; no default = must be given. */
interface Row {
  readonly env: string
  readonly why: string
  /** shown as *** wherever the table is shown */
  readonly secret?: true
}
interface NumberRow extends Row {
  readonly unit: 'count' | 'number' | 'bytes' | 'port'
  readonly default?: number | null
  readonly min?: number
  readonly max?: number
}
/** Written `4s`, read as milliseconds; bounds and default are milliseconds. */
interface DurationRow extends Row {
  readonly unit: 'duration'
  readonly default?: number | null
  readonly min?: number
  readonly max?: number
}
interface TextRow extends Row {
  readonly unit: 'text' | 'path' | 'url'
  readonly default?: string | null
  readonly like?: RegExp
}
interface FlagRow extends Row {
  readonly unit: 'flag'
  readonly default?: boolean
}
interface ChoiceRow extends Row {
  readonly unit: 'choice'
  readonly of: readonly string[]
  readonly default?: string | null
}
export type ConfigRow = NumberRow | DurationRow | TextRow | FlagRow | ChoiceRow
export type ConfigTable = Readonly<Record<string, ConfigRow>>

type ValueOf<R extends ConfigRow> =
  | (R extends { unit: 'count' | 'number' | 'bytes' | 'port' | 'duration' }
      ? number
      : R extends { unit: 'flag' }
        ? boolean
        : R extends { unit: 'choice'; of: readonly (infer C)[] }
          ? C
          : string)
  | (R extends { default: null } ? null : never)
export type Config<T extends ConfigTable> = { readonly [K in keyof T]: ValueOf<T[K]> }

export type Env = Readonly<Record<string, string | undefined>>

/**
 * The table's values. Throws BadConfig with every problem: unknown `HATO_*` names (and what was probably meant), missing, unreadable, out of bounds.
 * `alsoKnown`: names that other parts of the same process read.
 */
export function readConfig<const T extends ConfigTable>(table: T, env: Env, alsoKnown: readonly string[] = []): Config<T> {
  const known = [...Object.values(table).map((row) => row.env), ...alsoKnown]
  const problems: string[] = []
  for (const name of Object.keys(env)) {
    if (!name.startsWith('HATO_') || known.includes(name)) continue
    const meant = nearest(name, known)
    problems.push(`${name} is not a setting of this service${meant ? `; did you mean ${meant}?` : ''}`)
  }
  const config: Record<string, unknown> = {}
  for (const [key, row] of Object.entries(table)) {
    const text = env[row.env]
    if (text === undefined || text === '') {
      if (row.default === undefined) problems.push(`${row.env} must be set (${row.why})`)
      else config[key] = row.default
      continue
    }
    const read = readRow(row, text)
    if (read.kind === 'read') config[key] = read.value
    else problems.push(`${row.env} is "${row.secret ? '***' : text}": ${read.because}`)
  }
  if (problems.length > 0) throw new BadConfig(problems.join('\n'))
  return config as Config<T>
}

/** The part of an environment that a table reads, and all that is not ours: what a supervisor hands to one child. */
export function envFor(table: ConfigTable, env: Env): Record<string, string> {
  const own = new Set(Object.values(table).map((row) => row.env))
  return Object.fromEntries(
    Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined && (!pair[0].startsWith('HATO_') || own.has(pair[0]))),
  )
}

type Read = { kind: 'read'; value: unknown } | { kind: 'wrong'; because: string }

function readRow(row: ConfigRow, text: string): Read {
  switch (row.unit) {
    case 'duration': {
      const ms = parseDuration(text)
      return ms === null ? { kind: 'wrong', because: 'not a duration such as 500ms, 4s or 10m' } : bounded(row, ms)
    }
    case 'count':
    case 'bytes':
      return /^\d{1,15}$/.test(text.replaceAll('_', '')) ? bounded(row, Number(text.replaceAll('_', ''))) : { kind: 'wrong', because: 'not a whole number' }
    case 'port':
      return /^\d{1,5}$/.test(text) ? bounded({ ...row, min: row.min ?? 0, max: row.max ?? 65_535 }, Number(text)) : { kind: 'wrong', because: 'not a port' }
    case 'number':
      return Number.isFinite(Number(text)) ? bounded(row, Number(text)) : { kind: 'wrong', because: 'not a number' }
    case 'flag':
      return /^(1|true|yes|on)$/i.test(text)
        ? { kind: 'read', value: true }
        : /^(0|false|no|off)$/i.test(text)
          ? { kind: 'read', value: false }
          : { kind: 'wrong', because: 'neither true nor false' }
    case 'choice':
      return row.of.includes(text) ? { kind: 'read', value: text } : { kind: 'wrong', because: `none of ${row.of.join(', ')}` }
    case 'text':
    case 'path':
    case 'url':
      return row.like && !row.like.test(text) ? { kind: 'wrong', because: `does not match ${row.like.source}` } : { kind: 'read', value: text }
  }
}

function bounded(row: { unit: string; min?: number; max?: number }, value: number): Read {
  if (row.min !== undefined && value < row.min) return { kind: 'wrong', because: `below ${shown(row, row.min)}` }
  if (row.max !== undefined && value > row.max) return { kind: 'wrong', because: `above ${shown(row, row.max)}` }
  return { kind: 'read', value }
}

/** A value as a person would write it. */
function shown(row: { unit: string; secret?: true }, value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (row.secret) return '***'
  return row.unit === 'duration' ? formatDuration(Number(value)) : String(value)
}

/** The resolved table for the log: variable → value as written, secrets masked. */
export function resolvedTable<T extends ConfigTable>(table: T, config: Config<T>): Record<string, string> {
  return Object.fromEntries(Object.entries(table).map(([key, row]) => [row.env, shown(row, config[key as keyof T])]))
}

/** The table as documentation. */
export function configMarkdown(table: ConfigTable): string {
  const rows = Object.values(table).map((row) => {
    const bounds =
      'min' in row || 'max' in row
        ? `${shown(row, 'min' in row ? row.min : null)} … ${shown(row, 'max' in row ? row.max : null)}`
        : 'of' in row
          ? row.of.join(', ')
          : ''
    return `| \`${row.env}\` | ${row.unit} | ${row.default === undefined ? 'required' : shown(row, row.default)} | ${bounds} | ${row.why} |`
  })
  return ['| variable | unit | default | bounds | why |', '|---|---|---|---|---|', ...rows].join('\n')
}
