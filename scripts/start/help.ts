import { formatDuration } from '../../protocol/duration.ts'
import type { ConfigRow } from '../../services/runtime/config.ts'
import { FLAGS, START_CONFIG } from './config.ts'
import { ACTOR_VARIABLES } from './roles.ts'

export function help(): string {
  const flagOf = new Map<string, string>(Object.entries(FLAGS).map(([flag, variable]) => [variable, `--${flag}`]))
  const rows = Object.values(START_CONFIG).map(
    (row: ConfigRow) => `  ${row.env.padEnd(16)} ${(flagOf.get(row.env) ?? '').padEnd(12)} ${row.why}${defaultOf(row)}`,
  )
  const others = ACTOR_VARIABLES.filter((name) => !Object.values(START_CONFIG).some((row) => row.env === name))
  return `npm start [-- FLAGS]

Starts the whole cluster: nats-server, scheduler, domain-router, ip-manager and senders, and keeps them running.
Prints "hato ready nats=<url>" when it takes campaigns; SIGTERM or Ctrl-C ends it in order.

  variable         flag         meaning (default)
${rows.join('\n')}

Handed on to the actors (services/<role>/README.md): ${[...new Set(others)].join(' ')}
`
}

function defaultOf(row: ConfigRow): string {
  if (row.default === undefined || row.default === null) return ''
  return ` (${row.unit === 'duration' ? formatDuration(Number(row.default)) : row.default})`
}
