import { LANES, type Lane } from '../../../protocol/words.ts'
import { hasLeases, hasWaiting, type Moment, type Shard, type Site } from '../state.ts'
import { keptAliveForGrant } from './keep-alive.ts'
import { grantOf } from './lend.ts'
import type { Say } from './messages.ts'
import { ORDERS_PER_GRANT, QUEUE_AHEAD_S } from './numbers.ts'
import { isOpenTo, type Offer, Offers } from './offers.ts'
import { type Group, poolsOf, takeOldest, type Waiting } from './queue.ts'
import { hasRoom } from './roster.ts'
import { senderRests } from './sender-rests.ts'

/**
 * Hands the waiting orders of a site to senders, as many as the leases take within 2 s of their pace: urgent before bulk always, then the oldest first;
 * of first tries and retries neither may take more than half while both wait (delivery.md §4). Orders that no offer takes stay where they are.
 */
export function place(shard: Shard, site: Site, at: Moment): Say[] {
  if (!at.mayGrant || shard.adopting !== null) return []
  const offers = new Offers(shard, site, at)
  for (const lane of LANES) {
    const stuck = new Set<string>()
    for (const group of site.queue[lane].values()) if (senderRests(site, group.from, at.now) !== null) stuck.add(group.key)
    for (;;) {
      const group = nextGroup(site, lane, stuck)
      if (group === null) break
      const head = group.waiting[0] as Waiting
      const offer = bestOffer(offers.ofPool(group.pool), head, lane, at)
      if (offer === null || !offers.accept(offer)) {
        if (offer === null) stuck.add(group.key)
        continue // an offer that could not be accepted is dead now; the next one is asked
      }
      takeOldest(site.queue, lane, group)
      offer.orders.push(head)
      offer.recipients[lane] += head.held.order.count
      site.handed[group.retry ? 'retry' : 'first'] += head.held.order.count
    }
  }
  return offers.taken().flatMap((offer) => grant(shard, site, offer, at))
}

/** Who was given something longest ago comes first: room at the senders is shared by all sites. */
export function placeAll(shard: Shard, at: Moment): Say[] {
  const waiting = [...shard.awake].filter(hasWaiting).sort((a, b) => a.lentAt - b.lentAt)
  const says: Say[] = []
  const wished = new Set<string>()
  for (const site of waiting) {
    if (!hasRoom(shard.roster, shard.holders, at.mono)) {
      // Nothing can be lent anew. Leases that are held may take more, and each pool says once that it wants room.
      const pools = poolsOf(site.queue)
      if (!hasLeases(site) && [...pools].every((pool) => wished.has(pool))) continue
      for (const pool of pools) wished.add(pool)
    }
    says.push(...place(shard, site, at))
  }
  return says
}

/** The lane's oldest group that is not stuck; retries step back once they have had their half. */
function nextGroup(site: Site, lane: Lane, stuck: ReadonlySet<string>): Group | null {
  let first: Group | null = null
  let retry: Group | null = null
  for (const group of site.queue[lane].values()) {
    if (stuck.has(group.key)) continue
    const best = group.retry ? retry : first
    if (best !== null && seqOf(best) < seqOf(group)) continue
    if (group.retry) retry = group
    else first = group
  }
  if (first === null || retry === null) return first ?? retry
  if (site.handed.retry > site.handed.first) return first
  return seqOf(first) < seqOf(retry) ? first : retry
}

function seqOf(group: Group): number {
  return (group.waiting[0] as Waiting).held.seq
}

/** The offer that would begin soonest: the source to come back from before others, then a warm lease with little to do, then a new one at the source that was idle longest. */
function bestOffer(offers: readonly Offer[], { held }: Waiting, lane: Lane, at: Moment): Offer | null {
  const { stick, count } = held.order
  const only = stick && stick.hardUntil > at.now ? stick.ip : null
  let best: Offer | null = null
  let bestWait = Number.POSITIVE_INFINITY
  for (const offer of offers) {
    if (only !== null && offer.pair.ip !== only) continue
    if (offer.orders.length >= ORDERS_PER_GRANT || !isOpenTo(offer, count)) continue
    const wait = offer.waitS(lane)
    if (wait >= QUEUE_AHEAD_S && offer.backlog(lane) > 0) continue
    if (stick && stick.ip === offer.pair.ip) return offer
    if (wait > bestWait || (wait === bestWait && best !== null && best.pair.lentAt <= offer.pair.lentAt)) continue
    best = offer
    bestWait = wait
  }
  return best
}

function grant(shard: Shard, site: Site, { lease, sender, orders, pair, wasBefore }: Offer, at: Moment): Say[] {
  if (lease === null || sender === null) return []
  pair.lentAt = at.mono
  site.lentAt = at.mono
  const grant = grantOf(shard, site, lease, sender, orders, wasBefore, at)
  if (grant === null) return []
  const says: Say[] = orders.flatMap((waiting) => (keptAliveForGrant(waiting, at.mono) ? [{ say: 'touch' as const, held: waiting.held }] : []))
  says.push({ say: 'grant', sender: sender.id, grant })
  if (lease.mode === 'asked') {
    const { id, sender, ip, numbers } = lease
    says.push({ say: 'event', event: { event: 'granted', lease: id, sender, site: site.site, ip, sessions: numbers.sessions, pacePerS: numbers.pacePerS } })
  }
  return says
}
