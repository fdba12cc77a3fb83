import type { Blame, EpochMs, ReplyClass, Stage } from '../../../protocol/words.ts'
import { type Counts, type Ip, type Manager, type Pair, poolKey } from '../state.ts'
import { limitsOf, rowOf } from './fleet-view.ts'
import { carried } from './lately.ts'
import { blame, count, type SourceBlame } from './modes.ts'
import { ipOf, pairOf } from './pairs.ts'
import { pass } from './pass.ts'
import { blamePool, QUIET_POOL } from './pool.ts'
import type { Say } from './says.ts'
import { lendsIn, settlePair } from './settle.ts'
import { halve } from './tenant-shares.ts'
import { noteOutlet } from './trouble.ts'

/** What this actor reads of an outcome; everything else of it is others'. */
export interface Seen {
  readonly ip: string
  readonly site: string
  readonly outcome: string
  readonly class: ReplyClass
  readonly blames: Blame
  readonly stage: Stage | null
  /** the reply as people read it */
  readonly reply: string | null
  /** the peer sees us from this address instead */
  readonly seenAs?: string | null
  readonly rule: {
    readonly id: string
    readonly restMs?: number | undefined
    readonly threshold?: { readonly count: number; readonly perMs: number } | undefined
    readonly needsPerson?: boolean | undefined
  } | null
}

export interface SeenChunk {
  readonly seq: number
  /** when the journal took it: the same at every reading, so that a restart decides as before */
  readonly at: EpochMs
  readonly tenant: string
  readonly seen: readonly Seen[]
}

/** Counts a chunk of the journal and draws what follows. A chunk that is counted already changes nothing. */
export function observe(manager: Manager, chunk: SeenChunk): Say[] {
  if (chunk.seq <= manager.position) return []
  const says = pass(manager, chunk.at)
  const uncounted = new Map<Pair, Traffic>()
  for (const seen of chunk.seen) says.push(...observeOne(manager, chunk.tenant, seen, uncounted))
  for (const [pair, traffic] of uncounted) countTraffic(manager, pair, traffic)
  manager.position = chunk.seq
  manager.changed = true
  return says
}

/** Somebody complained about a mail that the IP had brought there. */
export function complainedAbout(manager: Manager, address: string, site: string): void {
  const ip = ipOf(manager, address)
  if (ip === null) return
  const pair = pairOf(manager, ip, site)
  pair.counts.complained++
  pair.source = count(pair.source, { sent: 0, delivered: 0, blamed: 0, complained: 1 }, manager.now)
  manager.changed = true
}

/** What a chunk says of one pair, gathered so that a hundred outcomes cost one step of its ramp and score. */
interface Traffic {
  sent: number
  delivered: number
  blamed: number
}

function observeOne(manager: Manager, tenant: string, seen: Seen, uncounted: Map<Pair, Traffic>): Say[] {
  const ip = ipOf(manager, seen.ip)
  if (ip === null) return []
  const pair = pairOf(manager, ip, seen.site)
  pair.usedAt = manager.now
  tally(pair.counts, seen)
  const traffic = uncounted.get(pair) ?? { sent: 0, delivered: 0, blamed: 0 }
  uncounted.set(pair, traffic)
  const delivered = seen.outcome === 'delivered'
  if (delivered) traffic.delivered++
  if (delivered || wasTransaction(seen.stage)) traffic.sent++
  if (!delivered && (seen.blames === 'source' || seen.class === 'rate')) traffic.blamed++
  if (seen.blames !== 'source') return noteOutlet(manager, ip, seen)
  // What came before the blame is counted before it.
  countTraffic(manager, pair, traffic)
  uncounted.delete(pair)
  return blameSource(manager, ip, pair, tenant, seen)
}

function countTraffic(manager: Manager, pair: Pair, traffic: Traffic): void {
  if (traffic.sent > 0) pair.recent = carried(pair.recent, traffic.sent, manager.now)
  pair.source = count(pair.source, { ...traffic, complained: 0 }, manager.now)
}

function tally(counts: Counts, { outcome, class: replyClass }: Seen): void {
  if (outcome === 'delivered' || outcome === 'deferred' || outcome === 'bounced') counts[outcome]++
  if (replyClass === 'blocked') counts.blocked++
}

/** The ramp counts transactions; a refusal before MAIL was none. */
function wasTransaction(stage: Stage | null): boolean {
  return stage === 'mail' || stage === 'rcpt' || stage === 'data' || stage === 'dot'
}

function blameSource(manager: Manager, ip: Ip, pair: Pair, tenant: string, seen: Seen): Say[] {
  noteTenant(pair, tenant)
  const row = rowOf(manager.fleet, pair.site)
  const limits = limitsOf(manager.fleet, row)
  const reply = blameOf(seen)
  const lent = lendsIn(pair.source.mode)
  const says = settlePair(manager, ip, pair, blame(pair.source, reply, limits, manager.now), seen.reply)
  // What is still on its way while it cools says nothing new about the pool either, nor does a reply that only counts so far.
  if (!lent || lendsIn(pair.source.mode)) return says
  halve(manager, ip.address, pair.site, tenant, reply.because)
  says.push(...blameWholePool(manager, ip.address, pair.site, reply.restMs ?? limits.sourceMs, reply.because))
  if (manager.fleet.sharedGroups.has(row.reputation) && (seen.class === 'reputation' || seen.class === 'blocked')) {
    says.push(...blameGroup(manager, ip, pair, row, { ...reply, because: `${pair.site}: ${reply.because}` }))
  }
  return says
}

function blameOf({ class: replyClass, outcome, rule }: Seen): SourceBlame {
  return {
    class: replyClass,
    because: rule?.id ?? replyClass,
    restMs: rule?.restMs ?? null,
    threshold: rule?.threshold ?? null,
    // NOTE: a deferral is of class `blocked` where a row says so; a bounce also when its tries were over, whatever the reply asked for.
    needsPerson: rule?.needsPerson ?? (rule === null && replyClass === 'blocked' && outcome === 'deferred'),
  }
}

/** Sources of blame are kept for so many tenants by name. */
const TENANTS_NAMED = 32

function noteTenant(pair: Pair, tenant: string): void {
  const name = pair.blamedBy.has(tenant) || pair.blamedBy.size < TENANTS_NAMED ? tenant : '_others'
  pair.blamedBy.set(name, (pair.blamedBy.get(name) ?? 0) + 1)
}

/** Two IPs of a pool blamed at one site: it is the mail (delivery.md §7). */
function blameWholePool(manager: Manager, address: string, site: string, restMs: number, because: string): Say[] {
  const name = manager.fleet.ips.get(address)?.pool
  if (name === undefined) return []
  const ips = manager.fleet.pools.get(name) ?? []
  const key = poolKey(name, site)
  const { pool, rest } = blamePool(manager.pools.get(key) ?? QUIET_POOL, { ip: address, restMs, because }, ips.length, manager.now)
  manager.pools.set(key, pool)
  if (rest === null) return []
  manager.wakeAt = Math.min(manager.wakeAt, rest.until)
  const says: Say[] = [{ say: 'pool', pool: name, site, rests: true, ...rest }]
  for (const ip of ips) {
    const known = manager.ips.get(ip.address)
    const lends = known === undefined || (known.state.mode === 'serving' && lendsIn(known.pairs.get(site)?.source.mode ?? 'steady'))
    if (lends) says.push({ say: 'changed', ip: ip.address, site, lends: false, ...rest })
  }
  return says
}

/** Other providers that share the reputation (Proofpoint and iCloud): the address is unloved there too. */
function blameGroup(manager: Manager, ip: Ip, blamed: Pair, row: { readonly name: string; readonly reputation: string }, reply: SourceBlame): Say[] {
  const says: Say[] = []
  for (const pair of ip.pairs.values()) {
    const other = rowOf(manager.fleet, pair.site)
    if (pair === blamed || other.name === row.name || other.reputation !== row.reputation || !lendsIn(pair.source.mode)) continue
    says.push(
      ...settlePair(manager, ip, pair, blame(pair.source, { ...reply, threshold: null, needsPerson: false }, limitsOf(manager.fleet, other), manager.now)),
    )
  }
  return says
}
