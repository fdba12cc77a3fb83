/** Sites (ISPs and the tail) as people see them. Pure. */
import type { IspStatus } from '../../protocol/messages/ops.ts'
import type { Look } from './campaign-screen.ts'
import { clock, count, until } from './format.ts'
import { SOURCE_STYLE } from './ip-screen.ts'
import { table } from './table.ts'
import { printable, wrap } from './text.ts'

type Site = IspStatus['sites'][number]

/** All sites with mail or memory, the fullest first. */
export function siteTable({ sites }: IspStatus, look: Look): string[] {
  if (sites.length === 0) return ['No site has mail, leases or orders of people.']
  const shown = [...sites].sort((a, b) => waitingOf(b) - waitingOf(a) || a.site.localeCompare(b.site))
  return table<Site>(
    [
      { title: 'site', atLeast: 14, cell: ({ site }) => site },
      { title: 'urgent', side: 'right', cell: ({ waiting }) => some(waiting.urgent) },
      { title: 'bulk', side: 'right', cell: ({ waiting }) => some(waiting.bulk) },
      { title: 'open', side: 'right', cell: ({ ips }) => some(sum(ips.map(({ open }) => open))) },
      { title: 'window', side: 'right', cell: ({ ips }) => some(sum(ips.map(({ window }) => window))) },
      { title: 'pace/s', side: 'right', spare: 2, cell: ({ ips }) => pace(sum(ips.map((ip) => ip.pace))) },
      { title: 'IPs', side: 'right', spare: 3, cell: ({ ips }) => some(ips.length) },
      { title: 'rests because', atLeast: 10, cell: ({ resting, ips }) => ({ text: resting?.because ?? held(ips), style: resting ? 'yellow' : null }) },
      { title: 'until', atLeast: 9, cell: ({ resting }) => until(resting?.until ?? null, look.now) },
      { title: 'actions', atLeast: 8, spare: 1, cell: ({ actions }) => actions.map(({ id }) => id).join(', ') },
    ],
    shown,
    look,
  )
}

/** One site: from which IPs, under whose orders, what it said last. */
export function siteLines(site: Site, look: Look): string[] {
  const { paint, now } = look
  const width = look.width - 2
  const rests = site.resting ? paint('yellow', `rests because ${site.resting.because}, until ${until(site.resting.until, now)}`) : 'is being served'
  const head = [
    `${paint('bold', printable(site.site))}  ${rests}`,
    `  waiting: ${count(site.waiting.urgent)} urgent, ${count(site.waiting.bulk)} bulk`,
    `  owner ${site.owner}, epoch ${site.epoch}`,
  ]
  const ips = table<Site['ips'][number]>(
    [
      { title: 'IP', cell: ({ address }) => address },
      { title: 'mode', cell: ({ mode }) => ({ text: mode, style: SOURCE_STYLE[mode] }) },
      { title: 'open', side: 'right', cell: ({ open }) => count(open) },
      { title: 'window', side: 'right', cell: ({ window }) => count(window) },
      { title: 'pace/s', side: 'right', cell: (ip) => pace(ip.pace) },
      { title: 'because', atLeast: 12, cell: ({ because }) => because ?? '' },
    ],
    site.ips,
    { paint, width },
  )
  const actions = table<Site['actions'][number]>(
    [
      { title: 'action', cell: ({ action }) => action },
      { title: 'id', cell: ({ id }) => id },
      { title: 'by', atLeast: 12, cell: ({ by }) => by },
      { title: 'until', atLeast: 9, cell: (action) => until(action.until, now) },
    ],
    site.actions,
    { paint, width },
  )
  const replies = site.lastReplies.flatMap(({ at, ip, reply }) => {
    const [first = '', ...rest] = wrap(printable(reply), Math.min(width, 110) - 12)
    return [`${clock(at, now)}  ${ip}`, ...[first, ...rest].map((line) => `    ${line}`)]
  })
  return [...head, ...part(site.ips.length > 0 ? ips : []), ...part(site.actions.length > 0 ? actions : []), ...part(replies)]
}

function part(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `  ${line}`)]
}

function waitingOf({ waiting }: Site): number {
  return waiting.urgent + waiting.bulk
}

/** Why none of the IPs lends, where that is so. */
function held(ips: Site['ips']): string {
  return ips.length > 0 && ips.every(({ because }) => because !== null) ? [...new Set(ips.map(({ because }) => because))].join(', ') : ''
}

function pace(n: number): string {
  return n === 0 ? '' : n >= 10 ? count(n) : String(Math.round(n * 100) / 100)
}

function some(n: number): string {
  return n === 0 ? '' : count(n)
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0)
}
