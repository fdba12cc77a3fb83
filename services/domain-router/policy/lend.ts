import type { Grant, Terms } from '../../../protocol/messages/permission.ts'
import { termsOf } from '../../../protocol/providers/terms.ts'
import { type HeldLease, NOTHING, type Numbers } from '../held-lease.ts'
import { addLease, type Moment, type Pair, type Shard, type Site } from '../state.ts'
import { sessionsOfIp } from './count.ts'
import { type Gate, leftOf, limitsAt } from './gates.ts'
import { GRANT_TIMEOUT_MS, GUARD_MS, LEASE_MS, RCPTS_PER_SESSION, SESSIONS_PER_IP } from './numbers.ts'
import type { Waiting } from './queue.ts'
import type { Sender } from './roster.ts'

type Go = Extract<Gate, { kind: 'go' }>

/** What a lease is to be told next. */
export interface Lending {
  readonly numbers: Numbers
  readonly budget: number | null
}

/**
 * The next numbers of a lease that is held, or of one to be made (`lease` null); null = there is nothing to lend it.
 *
 * INVARIANT S4: a number may grow only into what all other leases of the pair, counted at their largest, leave over; it may always shrink.
 * `recipients`: how many wait for it; a session for each ten of them is enough. `room`: further sessions its sender has place for.
 */
export function lendingFor(
  shard: Shard,
  site: Site,
  pair: Pair,
  gate: Go,
  lease: HeldLease | null,
  wish: { readonly recipients: number; readonly room: number },
  at: Moment,
): Lending | null {
  const now = lease?.numbers ?? NOTHING
  const left = leftOf(shard, site, pair, gate, at, lease ?? undefined)
  const others = [...pair.leases].filter((other) => other !== lease && other.mode !== 'ending')
  const sessionsOfOthers = others.reduce((sum, other) => sum + other.numbers.sessions, 0)

  const fair =
    now.sessions + sessionsOfOthers > gate.sessions
      ? Math.floor((gate.sessions * now.sessions) / (now.sessions + sessionsOfOthers))
      : gate.sessions - sessionsOfOthers
  // While it is busy a lease keeps what it has: numbers that follow the queue down and up again would only churn.
  const keeps = lease === null ? 0 : backlogOf(lease) > 0 ? now.sessions : lease.open
  const useful = Math.max(1, keeps, Math.ceil(wish.recipients / RCPTS_PER_SESSION))
  const roomOfIp = SESSIONS_PER_IP - (useful > now.sessions ? sessionsOfIp(shard, pair.ip, at.mono) : 0)
  const sessions = settle(now.sessions, Math.min(fair, useful, now.sessions + wish.room), Math.min(left.sessions, now.sessions + roomOfIp))
  if (sessions < 1) return null

  // Alone, a lease has the whole pace. Where a second one is there or wanted, each has the share of its sessions.
  const share = others.length > 0 || at.mono < pair.splitUntil ? Math.min(1, sessions / gate.sessions) : 1
  const limits = limitsAt(shard, site, at)
  const { row } = limits
  const rate = limits.rate / pairsInUse(site, pair)
  const wantedPerS = Math.min(gate.pacePerS * share, rate)
  const pacePerS = settle(now.pacePerS, wantedPerS, left.pacePerS)
  const connectsPerMinute = settle(now.connectsPerMinute, row.connectsPerMinute * share, left.connectsPerMinute)
  // NOTE: only where the site's limit exceeds what one address may see does the sum over leases need counting.
  const perAddress =
    row.sessionsPerIp.max <= row.sessionsPerAddress
      ? row.sessionsPerAddress
      : Math.floor(settle(now.perAddress, Math.min(sessions, row.sessionsPerAddress), left.perAddress))
  // What is left of a pace that others have whole is a rounding error of theirs: a lease on it would hold orders and send nothing.
  if (pacePerS <= 0 || (lease === null && pacePerS < wantedPerS / 100)) return null
  if (connectsPerMinute <= 0 || perAddress < 1) return null
  const budget = gate.budget === null || left.budget === null ? null : Math.max(0, Math.min(left.budget, Math.ceil(gate.budget * share)))
  if (lease === null && budget === 0) return null
  return { numbers: { sessions, pacePerS, perAddress, connectsPerMinute }, budget }
}

/** Down to `want` at once; up to it only as far as something is left. */
function settle(now: number, want: number, left: number): number {
  return want <= now ? want : Math.max(now, Math.min(want, left))
}

/** Recipients queued under a lease, those on their way to it included. */
export function backlogOf(lease: HeldLease): number {
  return (lease.pending?.orders ?? []).reduce((sum, { held }) => sum + held.order.count, lease.queued)
}

function pairsInUse(site: Site, asking: Pair): number {
  let pairs = 0
  for (const pair of site.pairs.values()) if (pair === asking || pair.leases.size > 0) pairs++
  return pairs
}

/** Tells a lease new numbers: what was larger before counts on, until it must be over. */
export function tellNumbers(lease: HeldLease, { numbers, budget }: Lending, mustEnd: number, mono: number): void {
  const was = lease.numbers
  const shrank =
    numbers.sessions < was.sessions ||
    numbers.pacePerS < was.pacePerS ||
    numbers.perAddress < was.perAddress ||
    numbers.connectsPerMinute < was.connectsPerMinute
  lease.before = lease.before.filter(({ until }) => until > mono)
  if (shrank && lease.mustEnd > mono) lease.before.push({ ...was, until: lease.mustEnd })
  lease.numbers = numbers
  lease.budget = budget
  lease.mustEnd = Math.max(lease.mustEnd, mustEnd)
}

/** A lease that is on its way to `sender`; it counts from now on. */
export function newLease(shard: Shard, site: Site, pair: Pair, sender: Sender, { numbers, budget }: Lending, at: Moment): HeldLease {
  shard.leasesMade++
  const lease: HeldLease = {
    id: `${shard.name}-${shard.epoch}-${shard.leasesMade}`,
    sender: sender.id,
    ip: pair.ip,
    site: site.site,
    pool: pair.pool,
    mode: 'asked',
    numbers,
    before: [],
    budget,
    mustEnd: at.mono + GRANT_TIMEOUT_MS + LEASE_MS + GUARD_MS,
    pending: null,
    open: 0,
    lingering: 0,
    queued: 0,
    orders: new Map(),
    perS: 0,
    reportedAt: at.mono,
    busyAt: at.mono,
  }
  addLease(shard, pair, lease)
  pair.lentAt = at.mono
  return lease
}

/** The grant as it goes out; the lease waits for its answer. Null where the fleet no longer knows the source. */
export function grantOf(
  shard: Shard,
  site: Site,
  lease: HeldLease,
  sender: Sender,
  orders: readonly Waiting[],
  wasBefore: Numbers | null,
  at: Moment,
): Grant | null {
  const source = shard.network.sources.get(lease.ip)
  if (source === undefined) return null
  lease.pending = { orders, before: wasBefore, askedAt: at.mono }
  // Counted from the time-out of the answer, the latest moment at which the sender can have begun to count.
  lease.mustEnd = Math.max(lease.mustEnd, at.mono + GRANT_TIMEOUT_MS + LEASE_MS + GUARD_MS)
  const { sessions, pacePerS } = lease.numbers
  const { bind, ehlo, egress } = source
  return {
    lease: {
      id: lease.id,
      shard: shard.name,
      site: site.site,
      provider: site.provider,
      pool: lease.pool,
      ip: lease.ip,
      bind,
      ehlo,
      egress,
      sessions,
      pacePerS,
      budget: lease.budget,
      ms: LEASE_MS,
      epoch: shard.epoch,
      terms: termsFor(shard, site, lease),
    },
    tick: sender.tick,
    orders: orders.map(({ held }) => held),
  }
}

/** The row's terms, with this lease's part of what the leases of a pair share. */
function termsFor(shard: Shard, site: Site, lease: HeldLease): Terms {
  const { perAddress: sessionsPerAddress, connectsPerMinute } = lease.numbers
  return { ...termsOf(shard.network.providers.row(site.provider)), sessionsPerAddress, connectsPerMinute }
}
