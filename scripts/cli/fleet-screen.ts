/** The fleet document as people see it. Pure. */
import type { Fleet } from '../../protocol/fleet.ts'
import type { Look } from './campaign-screen.ts'
import { formatDuration } from '../../protocol/duration.ts'
import { clock, count } from './format.ts'
import { type Column, table } from './table.ts'
import type { FleetAnswer } from './tenant.ts'

export function fleetLines({ revision, appliedAt, fleet }: FleetAnswer, look: Look): string[] {
  const { network } = fleet
  const lab = network.only_private_mx ? ', private MX only' : network.allow_private_mx ? ', private MX allowed' : ''
  return [
    `${look.paint('bold', `fleet revision ${revision}`)}, applied ${clock(appliedAt, look.now)}`,
    `  DNS ${network.dns?.join(', ') ?? "the system's"}, SMTP port ${network.smtp_port}${lab}${fleet.preflight?.off ? ', preflight off' : ''}`,
    ...part('tenants', fleet.tenant, TENANT, look),
    ...part('pools', fleet.pool, poolColumns(fleet), look),
    ...part('IPs', fleet.ip, IP, look),
    ...part('DKIM keys', fleet.dkim, DKIM, look),
    ...part('ISPs changed or added', fleet.isp, ISP, look),
  ]
}

function part<T>(title: string, rows: readonly T[], columns: readonly Column<T>[], look: Look): string[] {
  if (rows.length === 0) return []
  return ['', look.paint('bold', title), ...table(columns, rows, { ...look, width: look.width - 2 }).map((line) => `  ${line}`)]
}

const TENANT: readonly Column<Fleet['tenant'][number]>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'domains', atLeast: 16, cell: ({ domains }) => domains.join(', ') },
  { title: 'return path', atLeast: 16, cell: ({ return_path }) => return_path },
  { title: 'weight', side: 'right', cell: ({ weight }) => String(weight) },
  { title: 'daily limit', side: 'right', cell: ({ daily_limit }) => (daily_limit === undefined ? '' : count(daily_limit)) },
]

const poolColumns = (fleet: Fleet): readonly Column<Fleet['pool'][number]>[] => [
  { title: 'name', cell: ({ name }) => name },
  { title: 'for', atLeast: 12, cell: ({ tenants }) => tenants?.join(', ') ?? 'everybody' },
  { title: 'kinds', atLeast: 9, cell: ({ kinds }) => kinds?.join(', ') ?? 'all' },
  { title: 'IPs', side: 'right', cell: ({ name }) => count(fleet.ip.filter(({ pool }) => pool === name).length) },
]

const IP: readonly Column<Fleet['ip'][number]>[] = [
  { title: 'address', cell: ({ address }) => address },
  { title: 'bind', cell: ({ address, bind }) => (bind === undefined || bind === address ? '' : bind) },
  { title: 'pool', atLeast: 8, cell: ({ pool }) => pool },
  { title: 'EHLO', atLeast: 16, cell: ({ ehlo }) => ehlo },
  { title: 'warm since', cell: ({ warm_since }) => warm_since ?? '' },
  { title: 'egress', atLeast: 10, cell: ({ egress }) => (egress === 'bind' ? '' : egress) },
]

const DKIM: readonly Column<Fleet['dkim'][number]>[] = [
  { title: 'record', atLeast: 20, cell: ({ selector, domain }) => `${selector}._domainkey.${domain}` },
  { title: 'tenants', atLeast: 8, cell: ({ tenants }) => tenants.join(', ') },
  { title: 'from', cell: ({ from }) => from ?? '' },
  { title: 'until', cell: ({ until }) => until ?? '' },
]

const ISP: readonly Column<Fleet['isp'][number]>[] = [
  { title: 'name', cell: ({ name }) => name },
  {
    title: 'says',
    atLeast: 20,
    cell: ({ name: _, ...rest }) =>
      Object.entries(rest)
        .map(([key, value]) => `${key} = ${shown(key, value)}`)
        .join(', '),
  },
]

/** Durations may come as words or as milliseconds. */
function shown(key: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'number' && /(^idle|_rest)$/.test(key) ? formatDuration(value) : String(value)
}
