import type { Holdings } from '../../../protocol/messages/permission.ts'
import type { HeldLease } from '../held-lease.ts'
import { addLease, dropLease, type Moment, type Shard, siteOf } from '../state.ts'
import { grantOf } from './lend.ts'
import type { Say } from './messages.ts'
import { GUARD_MS, HEAR_ALL_MS, LEASE_MS, MIGHT_HOLD_MS } from './numbers.ts'
import { pairOf } from './pairs.ts'
import { hearReporter, type Sender } from './roster.ts'

/**
 * A new owner knows nothing of the leases its predecessor lent (S3, S4). It asks every sender that it hears within a second, and those heard of late or
 * named by the memory; what they hold it takes over under its own epoch. Who did not answer may still hold what its addresses allow, until a lease is over.
 */
export function beginAdopting(shard: Shard, holders: readonly string[], at: Moment): Say[] {
  const heardLately = [...shard.roster.values()].filter(({ heardAt }) => at.mono - heardAt < MIGHT_HOLD_MS).map(({ id }) => id)
  shard.adopting = { since: at.mono, until: at.mono + HEAR_ALL_MS, expected: new Set([...heardLately, ...holders]), asked: new Set(), answered: new Set() }
  return heardLately.flatMap((sender) => ask(shard, sender))
}

/** A sender is heard while we still ask: it is asked too. Later: one that was silent speaks again. */
export function hearDuringAdoption(shard: Shard, sender: string): Say[] {
  if (shard.adopting !== null) return shard.adopting.asked.has(sender) ? [] : ask(shard, sender)
  return shard.unsure.some((unsure) => unsure.sender === sender) ? [askHoldings(shard, sender)] : []
}

function ask(shard: Shard, sender: string): Say[] {
  shard.adopting?.expected.add(sender)
  shard.adopting?.asked.add(sender)
  return [askHoldings(shard, sender)]
}

export function askHoldings(shard: Shard, sender: string): Say {
  return { say: 'askHoldings', sender, ask: { shard: shard.name, epoch: shard.epoch, router: shard.router } }
}

export function hearHoldings(shard: Shard, holdings: Holdings, at: Moment): Say[] {
  const sender = hearReporter(shard.roster, holdings, at.mono)
  shard.adopting?.answered.add(sender.id)
  shard.unsure = shard.unsure.filter((unsure) => unsure.sender !== sender.id)
  return holdings.leases.filter((held) => held.shard === shard.name).flatMap((held) => adopt(shard, sender, held, at))
}

/** Not answered: asked again at its next word. */
export function hearNoHoldings(shard: Shard, sender: string): void {
  shard.adopting?.asked.delete(sender)
}

/** Everybody answered, or the time is over: lending may begin. Null while it goes on. */
export function endAdopting(shard: Shard, at: Moment): Say[] | null {
  const adopting = shard.adopting
  if (adopting === null || at.mono < adopting.until) return null
  const silent = [...adopting.expected].filter((sender) => !adopting.answered.has(sender))
  const until = adopting.since + LEASE_MS + GUARD_MS
  shard.adopting = null
  // A known sender uses only its own addresses; of one that is only a name in the memory nothing is known.
  shard.unsure = silent.map((sender) => ({ sender, ips: shard.roster.get(sender)?.ips ?? null, until }))
  return [{ say: 'event', event: { event: 'adoptionDone', asked: adopting.expected.size, silent, leases: shard.leases.size } }]
}

type Held = Holdings['leases'][number]

function adopt(shard: Shard, sender: Sender, held: Held, at: Moment): Say[] {
  const known = shard.leases.get(held.id)
  if (known !== undefined && known.mode !== 'ending') return [] // asked twice
  if (known !== undefined) dropLease(shard, known) // met in a report before the answer came
  const site = siteOf(shard, held.site, held.provider, at.mono)
  const pair = pairOf(shard, site, held.ip, held.pool, at)
  const lease = adopted(sender, held, at)
  addLease(shard, pair, lease)
  // The grant says the new epoch; a report answered under it would do as well, this is sooner.
  const grant = at.mayGrant ? grantOf(shard, site, lease, sender, [], lease.numbers, at) : null
  const says: Say[] = grant === null ? [] : [{ say: 'grant', sender: sender.id, grant }]
  const { id, ip, sessions } = held
  return [...says, { say: 'event', event: { event: 'adopted', lease: id, sender: sender.id, site: site.site, ip, sessions, orders: held.orders.length } }]
}

function adopted(sender: Sender, held: Held, at: Moment): HeldLease {
  const each = Math.ceil(held.queued / Math.max(1, held.orders.length))
  return {
    id: held.id,
    sender: sender.id,
    ip: held.ip,
    site: held.site,
    pool: held.pool,
    mode: 'held',
    numbers: {
      sessions: held.sessions,
      pacePerS: held.pacePerS,
      perAddress: held.terms.sessionsPerAddress,
      connectsPerMinute: held.terms.connectsPerMinute,
    },
    before: [],
    budget: held.budget,
    mustEnd: at.mono + LEASE_MS + GUARD_MS,
    pending: null,
    open: held.open,
    lingering: held.lingering,
    queued: held.queued,
    // Which lane and how many of each are left is not told: only the sum counts.
    orders: new Map(held.orders.map((seq) => [seq, { count: each, lane: 'bulk', unsure: false, held: null }])),
    perS: 0,
    reportedAt: at.mono,
    busyAt: at.mono,
  }
}
