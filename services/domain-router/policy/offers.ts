import type { Lane } from '../../../protocol/words.ts'
import type { HeldLease, Numbers } from '../held-lease.ts'
import type { Moment, Pair, Shard, Site } from '../state.ts'
import { type Gate, leftOf, pairGate } from './gates.ts'
import { lendingFor, newLease, tellNumbers } from './lend.ts'
import { NEW_LEASE_COSTS_S, PER_SESSION_GUESS, SPLIT_MS } from './numbers.ts'
import { countRecipients, type Waiting } from './queue.ts'
import { askRoom, canUse, emptiest, isReachable, type Sender, wishForRoom } from './roster.ts'

/** A lease that can take orders now, or one that could be made; with what was put into it in this round. */
export interface Offer {
  readonly pair: Pair
  readonly gate: Extract<Gate, { kind: 'go' }>
  /** null until accepted, when it is a new one */
  lease: HeldLease | null
  sender: Sender | null
  /** numbers before this round; null for a new lease */
  wasBefore: Numbers | null
  readonly orders: Waiting[]
  readonly recipients: Record<Lane, number>
  dead: boolean
  /** recipients queued before this round's orders */
  backlog(lane: Lane): number
  /** seconds until an order of the lane would begin */
  waitS(lane: Lane): number
}

/** The ramp's rest of today is not promised twice. */
export function isOpenTo(offer: Offer, count: number): boolean {
  if (offer.dead) return false
  const budget = offer.lease === null ? offer.gate.budget : offer.lease.budget
  if (budget === null) return true
  const promised = offer.recipients.urgent + offer.recipients.bulk + (offer.lease?.queued ?? 0)
  // An order is not divided: the last one of the day may be larger than what is left, and the rest of it comes back.
  return promised === 0 ? budget >= 1 : promised + count <= budget
}

/** What one round of placing may choose from, made pool by pool when somebody asks. */
export class Offers {
  readonly #shard: Shard
  readonly #site: Site
  readonly #at: Moment
  readonly #pools = new Map<string, Offer[]>()

  constructor(shard: Shard, site: Site, at: Moment) {
    this.#shard = shard
    this.#site = site
    this.#at = at
  }

  ofPool(pool: string): readonly Offer[] {
    const known = this.#pools.get(pool)
    if (known !== undefined) return known
    const offers: Offer[] = []
    for (const pair of this.#site.pairs.values()) if (pair.pool === pool) offers.push(...this.#ofPair(pair))
    this.#pools.set(pool, offers)
    return offers
  }

  taken(): Offer[] {
    return [...this.#pools.values()].flat().filter((offer) => offer.orders.length > 0)
  }

  /** Before the first order goes in: a new lease gets its sender and numbers, a held one its next numbers. False = it cannot be, and is no offer any more. */
  accept(offer: Offer): boolean {
    if (offer.orders.length > 0) return true
    const { pair, gate } = offer
    const recipients = countRecipients(this.#site.queue, 'urgent', pair.pool) + countRecipients(this.#site.queue, 'bulk', pair.pool)
    if (offer.lease !== null && offer.sender !== null) {
      const { lease, sender } = offer
      const next = lendingFor(this.#shard, this.#site, pair, gate, lease, { recipients: recipients + lease.queued, room: sender.free }, this.#at)
      if (next === null) return this.#dead(offer)
      sender.free = Math.max(0, sender.free - Math.max(0, next.numbers.sessions - lease.numbers.sessions))
      offer.wasBefore = lease.numbers
      tellNumbers(lease, next, lease.mustEnd, this.#at.mono)
      return true
    }
    const sender = emptiest(this.#shard.roster, this.#shard.holders, pair.ip, this.#at.mono)
    if (sender === null) {
      wishForRoom(this.#shard.roster, pair.ip, this.#at.mono)
      return this.#dead(offer)
    }
    const next = lendingFor(this.#shard, this.#site, pair, gate, null, { recipients, room: sender.free }, this.#at)
    if (next === null) {
      this.#wishForSplit(offer)
      return this.#dead(offer)
    }
    offer.sender = sender
    offer.lease = newLease(this.#shard, this.#site, pair, sender, next, this.#at)
    askRoom(sender, offer.lease.id, next.numbers.sessions, this.#at.mono)
    return true
  }

  #dead(offer: Offer): false {
    offer.dead = true
    return false
  }

  /** Sessions are left but no pace or connects: the lease that has them all shall be told its share next time. */
  #wishForSplit({ pair, gate }: Offer): void {
    if (leftOf(this.#shard, this.#site, pair, gate, this.#at).sessions >= 1) pair.splitUntil = this.#at.mono + SPLIT_MS
  }

  #ofPair(pair: Pair): Offer[] {
    const gate = pairGate(this.#shard, this.#site, pair, this.#at)
    // Its address left the fleet while its allowance still ran: nothing can be granted on it, and what was placed there would be nobody's.
    if (gate.kind === 'wait' || !this.#shard.network.sources.has(pair.ip)) return []
    const offers: Offer[] = []
    let another = leftOf(this.#shard, this.#site, pair, gate, this.#at).sessions >= 1
    for (const lease of pair.leases) {
      if (lease.mode === 'asked' && lease.pending !== null) another = false // its answer first
      if (lease.mode !== 'held') continue
      const sender = this.#shard.roster.get(lease.sender)
      if (!isReachable(sender, this.#at.mono) || !canUse(sender, pair.ip, this.#at.mono)) continue
      // One sender has the pair's sessions as long as it has room for them.
      if (sender.free > 0) another = false
      if (lease.pending === null) offers.push(offerOf(pair, gate, lease, sender))
    }
    if (another) offers.push(offerOf(pair, gate, null, null))
    return offers
  }
}

function offerOf(pair: Pair, gate: Offer['gate'], lease: HeldLease | null, sender: Sender | null): Offer {
  const perS = lease === null ? gate.pacePerS : rateOf(lease)
  const costsS = lease === null ? NEW_LEASE_COSTS_S : 0
  const recipients = { urgent: 0, bulk: 0 }
  const before = lease === null ? { urgent: 0, bulk: 0 } : { urgent: Math.min(urgentOf(lease), lease.queued), bulk: lease.queued }
  const offer: Offer = {
    pair,
    gate,
    lease,
    sender,
    wasBefore: null,
    orders: [],
    recipients,
    dead: false,
    // Urgent mail passes what is queued as bulk, at the sender too.
    backlog: (lane) => before[lane] + recipients.urgent + (lane === 'bulk' ? recipients.bulk : 0),
    waitS: (lane) => costsS + offer.backlog(lane) / perS,
  }
  return offer
}

/** Recipients a second that a lease is believed to end: what it did, with room to grow, never more than its pace. */
function rateOf(lease: HeldLease): number {
  return Math.min(lease.numbers.pacePerS, Math.max(2 * lease.perS, lease.numbers.sessions * PER_SESSION_GUESS))
}

function urgentOf(lease: HeldLease): number {
  let recipients = 0
  for (const order of lease.orders.values()) if (order.lane === 'urgent') recipients += order.count
  return recipients
}
