import type { FleetIsp } from '../fleet.ts'
import { TAIL_SCOPES } from '../site-name.ts'
import { TAIL, upTo } from './row.ts'
import type { ProviderRow, Source } from './row.ts'
import type { Providers } from './table.ts'

export interface ProviderProblem {
  /** `isp[2].mx[0]`, as the fleet file counts from 0 */
  readonly path: string
  readonly message: string
}

/** Names that shards of the tail have (`t00` … `t31`). */
const TAIL_SHARD = /^t\d\d$/
const DNS_SUFFIX = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/**
 * The table with a fleet file's `[[isp]]` rows: a known name changes what it mentions, `tail` changes the defaults of everybody else, a new name adds a provider.
 * A suffix below another row's wins over it (the longest counts); the same suffix twice is a problem. With problems the built-in table is what remains.
 */
export function mergeProviders(builtIn: Providers, overrides: readonly FleetIsp[]): Providers & { readonly problems: readonly ProviderProblem[] } {
  const rows = new Map(builtIn.rows.map((row) => [row.name, row]))
  const problems: ProviderProblem[] = []
  let tail = builtIn.tail
  for (const [at, isp] of overrides.entries()) {
    problems.push(...problemsOf(isp, `isp[${at}]`, rows.has(isp.name), overrides.findIndex((other) => other.name === isp.name) < at))
    if (isp.name === TAIL.name) tail = override(tail, isp)
    else rows.set(isp.name, override(rows.get(isp.name) ?? { ...tail, name: isp.name, reputation: isp.name, since: {} }, isp))
  }
  problems.push(...clashes([...rows.values()], overrides))
  return problems.length > 0 ? { ...builtIn, problems } : { rows: [...rows.values()], tail, problems }
}

function override(row: ProviderRow, isp: FleetIsp): ProviderRow {
  const changes = changesOf(row, isp)
  const since = Object.fromEntries(Object.keys(changes).map((column) => [column, 'fleet' satisfies Source]))
  return { ...row, ...changes, since: { ...row.since, ...since } }
}

function changesOf(row: ProviderRow, isp: FleetIsp): Partial<ProviderRow> {
  const sessions = isp.sessions_per_ip ?? isp.sessions_start
  const max = isp.sessions_per_ip ?? row.sessionsPerIp.max
  const changes: { readonly [column in keyof ProviderRow]?: ProviderRow[column] | undefined } = {
    mx: isp.mx?.map(plain),
    domains: isp.domains?.map(plain),
    per: isp.per,
    sessionsPerIp: sessions === undefined ? undefined : { start: isp.sessions_start ?? upTo(max).start, max },
    // An operator who names the next hop knows it: the guard for strangers' machines would only hold back his own.
    sessionsPerAddress: isp.host === undefined ? undefined : max,
    mailsPerSession: isp.mails_per_session,
    rcptsPerSession: isp.rcpts_per_session,
    rcptsPerTransaction: isp.rcpts_per_transaction,
    refusedPerSession: isp.refused_per_session,
    connectsPerMinute: isp.connects_per_minute,
    mailsPerSecond: isp.mails_per_second,
    maxSizeBytes: isp.max_size,
    tls: isp.tls,
    ahead: isp.ahead,
    idleMs: isp.idle,
    protocol: isp.protocol,
    host: isp.host,
    port: isp.port,
    unknown: isp.unknown,
    unknownMax: isp.unknown_max,
    hourlyStart: isp.hourly_start,
    rest:
      isp.busy_rest === undefined && isp.source_rest === undefined
        ? undefined
        : { ...row.rest, busyMs: isp.busy_rest ?? row.rest.busyMs, sourceMs: isp.source_rest ?? row.rest.sourceMs },
  }
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

function problemsOf(isp: FleetIsp, path: string, known: boolean, before: boolean): ProviderProblem[] {
  const problems: ProviderProblem[] = []
  const complain = (field: string, message: string) => problems.push({ path: `${path}.${field}`, message })
  if (before) complain('name', `"${isp.name}" is defined twice`)
  if (TAIL_SHARD.test(isp.name)) complain('name', `"${isp.name}" is the name of a shard of the tail`)
  if (TAIL_SCOPES.some((scope) => scope === isp.name)) complain('name', `"${isp.name}" is how names of tail sites begin`)
  if (isp.name === TAIL.name && (isp.mx !== undefined || isp.domains !== undefined)) complain('name', '"tail" is everybody else; it takes no mx and no domains')
  if (!known && isp.name !== TAIL.name && isp.mx === undefined && isp.domains === undefined)
    complain('name', `"${isp.name}" is no built-in provider; a new one needs mx or domains`)
  for (const [at, suffix] of (isp.mx ?? []).entries()) if (!DNS_SUFFIX.test(plain(suffix))) complain(`mx[${at}]`, `"${suffix}" is no host name suffix`)
  if (isp.sessions_start !== undefined && isp.sessions_per_ip !== undefined && isp.sessions_start > isp.sessions_per_ip)
    complain('sessions_start', `${isp.sessions_start} is more than sessions_per_ip = ${isp.sessions_per_ip}`)
  return problems
}

/** Suffixes and domains that two rows claim. */
function clashes(rows: readonly ProviderRow[], overrides: readonly FleetIsp[]): ProviderProblem[] {
  const problems: ProviderProblem[] = []
  for (const column of ['mx', 'domains'] as const) {
    const owners = new Map<string, string>()
    for (const row of rows) {
      for (const name of row[column]) {
        const owner = owners.get(name) ?? row.name
        owners.set(name, owner)
        if (owner !== row.name)
          problems.push({
            path: `isp[${overrides.findIndex((isp) => isp.name === row.name || isp.name === owner)}].${column}`,
            message: `"${name}" is claimed by ${owner} and ${row.name}`,
          })
      }
    }
  }
  return problems
}

function plain(name: string): string {
  return name.toLowerCase().replace(/^\.|\.$/g, '')
}
