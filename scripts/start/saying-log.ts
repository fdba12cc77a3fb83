import type { Log } from '../../services/runtime/log.ts'

/** The runtime's log as lines for a person; what is below a warning is the actors' business. */
export function sayingLog(say: (line: string) => void): Log {
  const tell = (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    say([event.replaceAll('-', ' '), ...Object.entries(fields).map(([name, value]) => `${name}=${value instanceof Error ? value.message : value}`)].join(' '))
  const log: Log = { debug() {}, info() {}, warn: tell, error: tell, child: () => log }
  return log
}
