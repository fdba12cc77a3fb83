import type { Moment, Shard, Site } from '../state.ts'
import { gateToTell, pairGate, siteWait, type Wait } from './gates.ts'
import { REST_PARK_MS, SOON_MS, UNKNOWN_REST_MS } from './numbers.ts'
import { poolsOf, type Group } from './queue.ts'
import { senderRests } from './sender-rests.ts'

/** Why orders of a pool wait at a site although sources might lend: null = some source lends, and only room is missing (S7). */
export function poolWait(shard: Shard, site: Site, pool: string, at: Moment, onlyIp: string | null = null, gateOf = pairGate): Wait | null {
  const whole = siteWait(shard, site, at)
  if (whole !== null) return whole
  let first: Wait | null = null
  let sources = 0
  for (const pair of site.pairs.values()) {
    if (pair.pool !== pool || (onlyIp !== null && pair.ip !== onlyIp)) continue
    const gate = gateOf(shard, site, pair, at)
    if (gate.kind === 'go' && gate.sessions >= 1 && gate.pacePerS > 0) return null
    sources++
    const wait: Wait = gate.kind === 'wait' ? gate : { kind: 'wait', because: 'window', until: at.now + SOON_MS }
    if (first === null || wait.until < first.until) first = wait
  }
  if (first !== null) return first
  // Before the ip-manager's first word nothing is known; after it, the pool has no source here.
  return site.answered.has(pool) && sources === 0
    ? { kind: 'wait', because: 'no-source', until: at.now + UNKNOWN_REST_MS }
    : { kind: 'wait', because: 'no-allowance', until: at.now + SOON_MS }
}

export function groupWait(shard: Shard, site: Site, group: Group, at: Moment): Wait | null {
  const ofSender = senderRests(site, group.from, at.now)
  if (ofSender !== null) return ofSender
  const stick = group.waiting[0]?.held.order.stick
  const only = stick && stick.hardUntil > at.now ? stick.ip : null
  // A source to come back from that no longer exists binds nobody.
  return poolWait(shard, site, group.pool, at, only !== null && shard.network.sources.has(only) ? only : null)
}

/** What the scheduler and people are told: a pool's rest each, and the site's own when every pool in use rests. */
export function restsOf(
  shard: Shard,
  site: Site,
  at: Moment,
): { readonly site: Wait | null; readonly pools: readonly (Omit<Wait, 'kind'> & { readonly pool: string })[] } {
  const whole = siteWait(shard, site, at)
  if (whole !== null) return { site: isRest(whole, at) ? whole : null, pools: [] }
  const pools = poolsOf(site.queue)
  for (const pair of site.pairs.values()) pools.add(pair.pool)
  const resting: (Wait & { readonly pool: string })[] = []
  for (const pool of pools) {
    const wait = poolWait(shard, site, pool, at, null, gateToTell)
    if (wait !== null && isRest(wait, at)) resting.push({ ...wait, pool })
  }
  const every = resting.length > 0 && resting.length === pools.size
  const first = resting.reduce<Wait | null>((soonest, wait) => (soonest === null || wait.until < soonest.until ? wait : soonest), null)
  return { site: every ? first : null, pools: resting.map(({ because, until, pool }) => ({ because, until, pool })) }
}

/** A second's uncertainty is no rest: its orders wait here. */
function isRest(wait: Wait, at: Moment): boolean {
  return wait.until > at.now + REST_PARK_MS
}
