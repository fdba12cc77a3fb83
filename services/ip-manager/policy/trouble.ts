import type { Ip, Manager, Trouble } from '../state.ts'
import type { Say } from './says.ts'

/** Evidence older than this is none: peers that repeat our address come by all day. */
const LASTS_MS = 3_600_000
/** One peer may be wrong or behind a proxy of its own. */
const SITES_TO_AGREE = 2

export interface OutletSeen {
  readonly site: string
  readonly outcome: string
  readonly blames: string
  readonly stage: string | null
  readonly reply: string | null
  readonly seenAs?: string | null
}

export function noteOutlet(manager: Manager, ip: Ip, seen: OutletSeen): Say[] {
  if (seen.seenAs) {
    ip.seenAs.set(seen.site, { address: seen.seenAs, at: manager.now })
    for (const [site, { at }] of ip.seenAs) if (manager.now - at >= LASTS_MS) ip.seenAs.delete(site)
    const sites = [...ip.seenAs].filter(([, { address }]) => address === seen.seenAs).map(([site]) => site)
    if (sites.length < SITES_TO_AGREE) return []
    return become(manager, ip, 'egress-differs', `${sites.slice(0, 3).join(', ')} see us from ${seen.seenAs}`)
  }
  if (seen.blames === 'us' && seen.stage === 'connect') return become(manager, ip, 'port-25-closed', seen.reply ?? 'connects time out everywhere')
  if (seen.outcome === 'delivered' && ip.trouble?.because === 'port-25-closed') ip.trouble = null
  return []
}

/** Null once the last evidence is old. */
export function troubleOf({ now }: Pick<Manager, 'now'>, { trouble }: Pick<Ip, 'trouble'>): Trouble | null {
  return trouble !== null && now - trouble.seenAt < LASTS_MS ? trouble : null
}

function become(manager: Manager, ip: Ip, because: Trouble['because'], detail: string): Say[] {
  const isNew = troubleOf(manager, ip)?.because !== because
  ip.trouble = { because, detail, seenAt: manager.now }
  return isNew ? [{ say: 'trouble', ip: ip.address, because, detail }] : []
}
