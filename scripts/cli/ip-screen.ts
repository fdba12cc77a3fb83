/** Source IPs as people see them. Pure. */
import type { IpReputation, IspReputation } from '../../protocol/messages/ops.ts'
import type { IpMode, SourceMode } from '../../protocol/words.ts'
import type { Look } from './campaign-screen.ts'
import { count, until } from './format.ts'
import type { Style } from './screen.ts'
import { table } from './table.ts'
import { printable } from './text.ts'

type Ip = IpReputation['ips'][number]

const IP_STYLE: Readonly<Record<IpMode, Style>> = { serving: 'green', draining: 'yellow', drained: 'yellow', quarantined: 'red' }
export const SOURCE_STYLE: Readonly<Record<SourceMode, Style>> = { warming: 'cyan', steady: 'green', cooling: 'yellow', recovering: 'cyan', blocked: 'red' }

/** All IPs, a line each. */
export function ipLines({ ips }: IpReputation, look: Look): string[] {
  if (ips.length === 0) return ['The fleet has no IP; hato apply FLEET gives it some.']
  return table<Ip>(
    [
      { title: 'IP', cell: ({ address }) => address },
      { title: 'pool', atLeast: 6, spare: 1, cell: ({ pool }) => pool },
      { title: 'mode', cell: ({ mode }) => ({ text: mode, style: IP_STYLE[mode] }) },
      { title: 'sites', atLeast: 12, cell: ({ isps }) => modesOf(Object.values(isps)) },
      { title: 'delivered', side: 'right', cell: (ip) => total(ip, 'delivered') },
      { title: 'deferred', side: 'right', spare: 2, cell: (ip) => total(ip, 'deferred') },
      { title: 'bounced', side: 'right', spare: 3, cell: (ip) => total(ip, 'bounced') },
      { title: 'blocked', side: 'right', cell: (ip) => total(ip, 'blocked') },
      { title: 'sessions', side: 'right', spare: 4, cell: ({ isps }) => some(Object.values(isps).reduce((sum, isp) => sum + sessionsOf(isp), 0)) },
      { title: 'because', atLeast: 12, cell: ({ because }) => because ?? '' },
      { title: 'until', atLeast: 9, cell: (ip) => until(ip.until, look.now) },
    ],
    ips,
    look,
  )
}

/** One IP with its sites, the busiest first. */
export function ipDetailLines(ip: Ip, look: Look): string[] {
  const head = `${look.paint('bold', ip.address)}  pool ${ip.pool}  ${look.paint(IP_STYLE[ip.mode], ip.mode)}${ip.because ? `  because ${printable(ip.because)}` : ''}${ip.until ? `, until ${until(ip.until, look.now)}` : ''}`
  const sites = Object.entries(ip.isps).sort(([, a], [, b]) => b.delivered + b.deferred - (a.delivered + a.deferred))
  if (sites.length === 0) return [head, ...listed(ip), '', '  Nothing was sent from it yet.']
  const lines = table<[string, IspReputation]>(
    [
      { title: 'site', atLeast: 16, cell: ([site]) => site },
      { title: 'mode', cell: ([, { mode }]) => ({ text: mode, style: SOURCE_STYLE[mode] }) },
      { title: 'score', side: 'right', spare: 2, cell: ([, { score }]) => score.toFixed(2) },
      { title: 'delivered', side: 'right', cell: ([, { delivered }]) => some(delivered) },
      { title: 'deferred', side: 'right', cell: ([, { deferred }]) => some(deferred) },
      { title: 'bounced', side: 'right', cell: ([, { bounced }]) => some(bounced) },
      { title: 'blocked', side: 'right', cell: ([, { blocked }]) => some(blocked) },
      { title: 'complaints', side: 'right', spare: 4, cell: ([, { complaints }]) => (complaints === 'unknown' ? '?' : some(complaints)) },
      { title: 'warm-up', side: 'right', spare: 1, cell: ([, isp]) => ramp(isp) },
      { title: 'sessions', side: 'right', spare: 3, cell: ([, isp]) => some(sessionsOf(isp)) },
      { title: 'because', atLeast: 10, cell: ([, { because }]) => because ?? '' },
      { title: 'until', atLeast: 9, cell: ([, isp]) => until(isp.until, look.now) },
    ],
    sites,
    { ...look, width: look.width - 2 },
  )
  return [head, ...listed(ip), '', ...lines.map((line) => `  ${line}`), ...blameLines(sites), ...complaintsNote(sites, lines[0] ?? '')]
}

/** Block lists that name it. */
function listed({ listings = {} }: Ip): string[] {
  return Object.entries(listings).map(([zone, code]) => `  listed on ${zone} (${code})`)
}

/** Whose recipients brought the blame, and what is left of a tenant's share of a shared pool. */
function blameLines(sites: readonly [string, IspReputation][]): string[] {
  const lines = sites.flatMap(([site, { blamedBy = {}, tenantShares = {} }]) => {
    const tenants = Object.entries(blamedBy).map(([tenant, times]) => {
      const share = tenantShares[tenant]
      return `${tenant} ${count(times)}${share === undefined ? '' : ` (its share there: ${share})`}`
    })
    return tenants.length === 0 ? [] : [`  ${site}: ${tenants.join(', ')}`]
  })
  return lines.length === 0 ? [] : ['', '  Blame by tenant:', ...lines.map((line) => `  ${line}`)]
}

/** Where `?` stands it is explained. */
function complaintsNote(sites: readonly [string, IspReputation][], titles: string): string[] {
  const unknown = titles.includes('complaints') && sites.some(([, { complaints }]) => complaints === 'unknown')
  return unknown ? ['', '  ? = the site tells nobody of complaints while they are fresh'] : []
}

/** `12 steady, 1 cooling`, what needs attention first */
export function modesOf(isps: readonly Pick<IspReputation, 'mode'>[]): string {
  const order: readonly SourceMode[] = ['blocked', 'cooling', 'recovering', 'warming', 'steady']
  return order
    .flatMap((mode) => {
      const n = isps.filter((isp) => isp.mode === mode).length
      return n === 0 ? [] : [`${n} ${mode}`]
    })
    .join(', ')
}

function total({ isps }: Ip, what: 'delivered' | 'deferred' | 'bounced' | 'blocked'): string {
  return some(Object.values(isps).reduce((sum, isp) => sum + isp[what], 0))
}

function sessionsOf({ leases }: Pick<IspReputation, 'leases'>): number {
  return leases.reduce((sum, { sessions }) => sum + sessions, 0)
}

/** Only while it warms up; afterwards nothing holds what it sends in a day. */
function ramp({ rampLimit, rampDay, sentToday }: IspReputation): string {
  return rampLimit === null ? '' : `${count(sentToday)} of ${count(rampLimit)}, day ${rampDay ?? 1}`
}

/** A column of nothing but zeros is left out. */
function some(n: number): string {
  return n === 0 ? '' : count(n)
}
