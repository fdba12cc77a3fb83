import type { EpochMs, MonoMs } from '../../../protocol/words.ts'
import { hasWork, type Moment, type RememberedPair, type Shard, type Site } from '../state.ts'
import type { Memory } from './messages.ts'
import { MIGHT_HOLD_MS, REMEMBERED_PAIRS } from './numbers.ts'
import { isLearnt } from './window.ts'
import { isReachable } from './roster.ts'

/** A month: what an ISP bore then says little about today. */
const REMEMBER_MS = 30 * 86_400_000

/** What outlives this owner: orders of people, windows with their rests, and who holds leases. */
export function memoryOf(shard: Shard, at: Moment): Memory {
  keepInMind(shard, at.now)
  const pairs = [...shard.memory].flatMap(([site, ips]) => [...ips].map(([ip, { window, at: learntAt }]) => ({ site, ip, at: learntAt, window })))
  return {
    v: 1,
    actions: [...shard.actions].flatMap(([site, actions]) => actions.map((action) => ({ ...action, site }))),
    pairs,
    holders: holdersOf(shard, at.mono),
  }
}

/** Whoever holds a lease, may hold one that nobody has told us of, or may be given one next. */
function holdersOf(shard: Shard, mono: MonoMs): string[] {
  const { leases, adopting, unsure, roster } = shard
  const unheard = [...(adopting?.expected ?? [])].filter((sender) => !adopting?.answered.has(sender))
  // A shard without work names nobody anew, so that a hundred idle ones write nothing when a sender comes.
  const lately = [...roster.values()].filter(({ id, heardAt }) => mono - heardAt < MIGHT_HOLD_MS && (hasWork(shard) || shard.holdersNamed.has(id)))
  return [
    ...new Set([...[...leases.values()].map(({ sender }) => sender), ...unheard, ...unsure.map(({ sender }) => sender), ...lately.map(({ id }) => id)]),
  ].sort()
}

/**
 * A sender is lent to only after the memory names it, so that a new owner knows who may hold something even if that sender and we fall silent together.
 * True = somebody is there whom it does not name yet.
 */
export function lacksHolder({ roster, holdersNamed }: Shard, mono: MonoMs): boolean {
  for (const sender of roster.values()) if (!holdersNamed.has(sender.id) && isReachable(sender, mono)) return true
  return false
}

/** The memory names somebody who can hold nothing any more: a new owner would wait for its word in vain. */
export function namesGone({ roster, holdersNamed, adopting, unsure }: Shard, mono: MonoMs): boolean {
  if (adopting !== null || unsure.length > 0) return false // whom we still wait for ourselves
  for (const id of holdersNamed) if (mono - (roster.get(id)?.heardAt ?? Number.NEGATIVE_INFINITY) >= MIGHT_HOLD_MS) return true
  return false
}

/** The windows of the pairs in use go into the memory; the oldest leave it when it is full. */
function keepInMind(shard: Shard, now: EpochMs): void {
  for (const site of shard.sites.values()) rememberSite(shard, site, now)
  const all = [...shard.memory].flatMap(([site, ips]) => [...ips].map(([ip, { at }]) => ({ site, ip, at })))
  const old = all.length > REMEMBERED_PAIRS ? all.sort((a, b) => a.at - b.at).slice(0, all.length - REMEMBERED_PAIRS) : []
  for (const { site, ip } of [...old, ...all.filter(({ at }) => at < now - REMEMBER_MS)]) forget(shard, site, ip)
}

function forget(shard: Shard, site: string, ip: string): void {
  const ips = shard.memory.get(site)
  if (ips === undefined) return
  ips.delete(ip)
  if (ips.size === 0) shard.memory.delete(site)
}

/** What a source that was never lent bears is what its row says: nothing to remember. Nor is what the next owner finds out within two rounds. */
export function rememberSite(shard: Shard, site: Site, now: EpochMs): void {
  const limits = shard.network.providers.row(site.provider)
  for (const pair of site.pairs.values()) {
    if (pair.lentAt === Number.NEGATIVE_INFINITY) continue
    if (!isLearnt(pair.window, limits)) {
      forget(shard, site.site, pair.ip)
      continue
    }
    const ips = shard.memory.get(site.site) ?? new Map<string, RememberedPair>()
    shard.memory.set(site.site, ips)
    // A window that is as it was remembered keeps its date.
    if (ips.get(pair.ip)?.window !== pair.window) ips.set(pair.ip, { window: pair.window, at: now })
  }
}

/** A new owner goes on where the last one was. */
export function recall(shard: Shard, memory: Memory, at: Moment): void {
  for (const { site, ...action } of memory.actions) if (action.until > at.now) shard.actions.set(site, [...(shard.actions.get(site) ?? []), action])
  for (const { site, ip, at: learntAt, window } of memory.pairs) {
    const ips = shard.memory.get(site) ?? new Map<string, RememberedPair>()
    shard.memory.set(site, ips.set(ip, { window, at: learntAt }))
  }
}

/** Equal for two memories that a new owner would act on alike: saving follows it. */
export function digestOf({ actions, pairs, holders }: Omit<Memory, 'v'>): string {
  const windows = pairs.map(({ site, ip, window }) => [
    site,
    ip,
    Math.floor(window.sessions.value),
    window.pace.value.toPrecision(2),
    window.rest,
    window.returns,
  ])
  return JSON.stringify([actions, windows, holders])
}
