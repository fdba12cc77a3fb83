import type { LeaseReport, Report, ReportAnswer } from '../../../protocol/messages/permission.ts'
import { rfc3339 } from '../../../protocol/duration.ts'
import type { ReplyClass } from '../../../protocol/words.ts'
import { become, type HeldLease } from '../held-lease.ts'
import { addLease, type Moment, type Pair, type Shard, type Site, siteOf } from '../state.ts'
import { askHoldings } from './adopt.ts'
import { drop, endLease, strayLease } from './ending.ts'
import { pairGate } from './gates.ts'
import { backlogOf, lendingFor, tellNumbers } from './lend.ts'
import type { Say } from './messages.ts'
import { GUARD_MS, IDLE_LEASE_MS, LEASE_MS, MIGHT_HOLD_MS } from './numbers.ts'
import { pairOf } from './pairs.ts'
import { countRecipients } from './queue.ts'
import { hearReporter, type Sender } from './roster.ts'
import { answerRests, learnSenderRests } from './sender-rests.ts'
import { smoothed } from './smooth.ts'
import { hear, newsOf, restOf } from './window.ts'

const LAST_REPLIES = 10

/** A sender tells what it did; the answer renews its leases or ends them. The sites it spoke of may have room again: the caller places anew. */
export function hearReport(shard: Shard, report: Report, at: Moment): { readonly says: Say[]; readonly sites: ReadonlySet<Site> } {
  const sender = hearReporter(shard.roster, report, at.mono)
  const says: Say[] = []
  const sites = new Set<Site>()
  const renew: ReportAnswer['renew'][number][] = []
  const end: string[] = []
  for (const told of report.leases) {
    const lease = shard.leases.get(told.lease)
    if (lease === undefined || lease.sender !== report.sender) {
      if (!meetStray(shard, report.sender, told, at)) says.push(askHoldings(shard, report.sender))
      else if (!told.closed) end.push(told.lease)
      continue
    }
    const site = shard.sites.get(lease.site) as Site // a site with a lease is not forgotten
    const pair = pairOf(shard, site, lease.ip, lease.pool, at)
    sites.add(site)
    says.push(...learn(shard, site, pair, lease, told, at))
    if (told.closed && told.lingering === 0) {
      says.push(...drop(shard, lease, 'closed-by-sender', at))
      continue
    }
    if (told.rest !== null) become(lease, 'ending') // its sender has ended it already
    if (!at.mayGrant) continue // neither renewed nor ended: the next owner decides
    const verdict = renewal(shard, site, pair, lease, sender, at)
    if (verdict.kind === 'renew') renew.push(verdict.row)
    else if (verdict.kind === 'end') {
      says.push(...endLease(lease, verdict.because))
      end.push(lease.id)
    }
  }
  const senderRests = answerRests(sites, at.now)
  const answer: ReportAnswer = { epoch: shard.epoch, tick: report.tick, renew, end, ...(senderRests.length > 0 && { senderRests }) }
  says.push({ say: 'answerReport', answer })
  return { says, sites }
}

type Verdict =
  | { readonly kind: 'renew'; readonly row: ReportAnswer['renew'][number] }
  | { readonly kind: 'end'; readonly because: string }
  | { readonly kind: 'let-run' } // neither: it ends by itself if nothing changes until then

function renewal(shard: Shard, site: Site, pair: Pair, lease: HeldLease, sender: Sender, at: Moment): Verdict {
  if (lease.mode === 'ending') return { kind: 'end', because: 'ending' }
  if (lease.mode === 'asked' && lease.pending === null) become(lease, 'held') // the answer was lost, the report tells as much
  if (sender.stopping) become(lease, 'fading')
  if (shard.adopting === null) {
    const gate = pairGate(shard, site, pair, at)
    if (gate.kind === 'wait' && gate.because === 'no-allowance' && site.answered.has(pair.pool)) return { kind: 'let-run' } // the ip-manager is away: what it allowed has run out
    if (gate.kind === 'wait' && !UNKNOWN.has(gate.because)) return { kind: 'end', because: gate.because }
    const backlog = backlogOf(lease)
    const busy = backlog > 0 || lease.orders.size > 0
    if (busy) lease.busyAt = at.mono
    if (!busy && at.mono < sender.wantedUntil) return { kind: 'end', because: 'room-wanted' }
    if (!busy && lease.mode === 'fading') return { kind: 'end', because: sender.stopping ? 'sender-stops' : 'moved' }
    if (!busy && lease.open + lease.lingering === 0 && at.mono - lease.busyAt > IDLE_LEASE_MS) return { kind: 'end', because: 'idle' }
    if (gate.kind === 'go') {
      const recipients =
        backlog + (lease.mode === 'held' ? countRecipients(site.queue, 'urgent', pair.pool) + countRecipients(site.queue, 'bulk', pair.pool) : 0)
      const next = lendingFor(shard, site, pair, gate, lease, { recipients, room: lease.mode === 'fading' ? 0 : sender.free }, at)
      if (next === null) return { kind: 'end', because: 'no-room-at-site' }
      sender.free = Math.max(0, sender.free - Math.max(0, next.numbers.sessions - lease.numbers.sessions))
      // Only a grant carries terms: per address and connects stay as they were told.
      const { perAddress, connectsPerMinute } = lease.numbers
      tellNumbers(lease, { ...next, numbers: { ...next.numbers, perAddress, connectsPerMinute } }, at.mono + LEASE_MS + GUARD_MS, at.mono)
      return { kind: 'renew', row: rowOf(lease) }
    }
  }
  // Until it is known what others hold, a lease goes on as it is.
  lease.mustEnd = Math.max(lease.mustEnd, at.mono + LEASE_MS + GUARD_MS)
  return { kind: 'renew', row: rowOf(lease) }
}

/** Waits that say nothing against a lease: we are new here and do not know enough yet. */
const UNKNOWN: ReadonlySet<string> = new Set(['no-allowance', 'sender-silent'])

function rowOf(lease: HeldLease): ReportAnswer['renew'][number] {
  return { lease: lease.id, sessions: lease.numbers.sessions, pacePerS: lease.numbers.pacePerS, budget: lease.budget, ms: LEASE_MS }
}

/** What a report teaches about the lease, its pair and its site. */
function learn(shard: Shard, site: Site, pair: Pair, lease: HeldLease, told: LeaseReport, at: Moment): Say[] {
  const done = doneOf(told)
  const sinceMs = at.mono - lease.reportedAt
  lease.perS = smoothed(lease.perS, done, sinceMs)
  lease.reportedAt = at.mono
  lease.open = told.open
  lease.lingering = told.lingering
  lease.queued = told.queued
  if (lease.budget !== null) lease.budget = Math.max(0, lease.budget - done)
  for (const seq of told.ended) lease.orders.delete(seq)
  site.done += done
  site.usedAt = at.mono
  if (done > 0) {
    pair.started = pair.started.filter(({ at: when }) => at.mono - when < MIGHT_HOLD_MS)
    pair.started.push({ at: at.mono, n: done })
  }
  if (told.lastReply !== null) {
    site.lastReplies.push({ at: at.now, ip: lease.ip, reply: told.lastReply })
    if (site.lastReplies.length > LAST_REPLIES) site.lastReplies.shift()
  }
  const says: Say[] = learnSenderRests(site, told, at.now)
  const rested = hear(pair.window, told, shard.network.providers.row(site.provider), at.now)
  const news = newsOf(pair.window, rested.window)
  pair.window = rested.window
  if (news === 'restraint') shard.changed = true
  else if (news === 'growth') shard.grown = true
  if (rested.rest === null) return says
  const { because, until } = rested.rest
  says.push({ say: 'event', event: { event: 'rested', site: site.site, ip: pair.ip, because, until: rfc3339(until), reply: told.lastReply } })
  const whole = told.rest?.whole === true ? rested.rest : siteRest(site, at)
  if (whole !== null && (site.rest === null || site.rest.until <= at.now)) {
    site.rest = whole
    says.push({
      say: 'event',
      event: { event: 'rested', site: site.site, ip: null, because: whole.because, until: rfc3339(whole.until), reply: told.lastReply },
    })
  }
  return says
}

/** What no source is to blame for. */
const OF_THE_SITE: readonly ReplyClass[] = ['site-busy', 'unreachable', 'bad-greeting', 'tls', 'lost-dot']

/** Two sources, and at least half of those in use, were told the same: it is the site, and the others need not be told too. */
function siteRest(site: Site, at: Moment): Site['rest'] {
  const inUse = [...site.pairs.values()].filter((pair) => pair.leases.size > 0 || restOf(pair.window, at.now) !== null)
  const rests = inUse.flatMap((pair) => restOf(pair.window, at.now) ?? []).filter(({ because }) => OF_THE_SITE.includes(because))
  if (rests.length < 2 || rests.length * 2 < inUse.length) return null
  return rests.reduce((soonest, rest) => (rest.until < soonest.until ? rest : soonest))
}

function doneOf(told: LeaseReport): number {
  let done = told.delivered
  for (const [replyClass, count] of Object.entries(told.classes)) if (replyClass !== 'delivered') done += count
  return done
}

/**
 * A lease we do not know. What stands of it counts until its sender says that it is closed. Just after we became the owner it may be one to adopt: then
 * false, ask what it is.
 */
function meetStray(shard: Shard, sender: string, told: LeaseReport, at: Moment): boolean {
  if (told.closed) return true
  const isNew = at.mono - shard.ownedAt < MIGHT_HOLD_MS
  if (told.open + told.lingering > 0) {
    const site = siteOf(shard, told.site, null, at.mono)
    addLease(shard, pairOf(shard, site, told.ip, told.pool, at), strayLease(sender, told, at))
  }
  return !isNew
}
