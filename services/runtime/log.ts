import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type Fields = Readonly<Record<string, unknown>>

/** One event, one line. `event` is a grep-able word in the past tense (`settled`, `lease-lost`); the rest are fields. */
export interface Log {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
  child(fields: Fields): Log
}

export interface LogOptions {
  readonly level: LogLevel
  /** on every line: role, node */
  readonly fields: Fields
  /** whole mail addresses in the log; otherwise `t…@example.jp` */
  readonly addresses: boolean
  readonly to?: DestinationStream
}

/** JSON lines on stdout: `{"level":"info","at":"2026-…Z","role":"sender","event":"settled",…}`. */
export function createLog(options: LogOptions): Log {
  const to = options.to ?? stdout()
  const line = pino(
    {
      level: options.level,
      base: options.fields,
      messageKey: 'event',
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"at"'),
      formatters: { level: (level) => ({ level }) },
    },
    to,
  )
  const shown = options.addresses ? (fields: Fields) => fields : redacted
  const wrap = (under: typeof line): Log => ({
    debug: (event, fields) => under.isLevelEnabled('debug') && under.debug(shown(fields ?? {}), event),
    info: (event, fields) => under.isLevelEnabled('info') && under.info(shown(fields ?? {}), event),
    warn: (event, fields) => under.warn(shown(fields ?? {}), event),
    error: (event, fields) => under.error(shown(fields ?? {}), event),
    child: (fields) => wrap(under.child(shown(fields))),
  })
  return wrap(line)
}

function stdout(): DestinationStream {
  const fd = destination({ fd: 1, sync: true })
  // A reader that went away (a dead supervisor) must not turn every log line into a crash.
  fd.on('error', () => {})
  return fd
}

const ADDRESS = /([^\s<>"@,;:]{1,64})@([A-Za-z0-9.-]+\.[A-Za-z0-9-]+)/g

/** Local parts are cut to their first letter, wherever an address stands: replies quote them too. Errors become their message and stack. */
export function redacted(fields: Fields): Fields {
  const shown: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) shown[key] = redactedValue(value)
  return shown
}

function redactedValue(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('@') ? value.replace(ADDRESS, (_, local: string, domain: string) => `${local[0]}…@${domain}`) : value
  if (value instanceof Error) return redactedValue(value.stack ?? String(value))
  if (Array.isArray(value)) return value.map(redactedValue)
  if (value !== null && typeof value === 'object') return redacted(value as Fields)
  return value
}
