import { normaliseAddress } from '../../../protocol/addresses.ts'
import type { SuppressionEntry } from '../../../protocol/messages/ops.ts'
import type { Outcome } from '../../../protocol/outcome.ts'
import { isFinal } from '../../../protocol/outcome.ts'
import type { EpochMs, ReplyClass } from '../../../protocol/words.ts'
import { type Share, SiteBrake } from './brake.ts'
import { countComplaint, countResult, isResult, isUnknown, newPair, type Pair, type Tripped } from './breakers.ts'
import { type Mark, markKey, Marks, seconds } from './marks.ts'

/** `[suppression]` as it concerns verdicts; milliseconds. */
export interface HygieneRules {
  readonly unknownForMs: number
  readonly strikes: number
  readonly overMs: number
  readonly settleMs: number
  readonly holdMs: number
}

/** A reply that may suppress its recipient, until it is decided whether it does. */
export interface Verdict {
  readonly tenant: string
  readonly site: string
  readonly rcpt: string
  readonly class: ReplyClass
  readonly at: EpochMs
  readonly reply: string
}

interface Pending extends Verdict {
  /** which of the site's results it was */
  readonly index: number
}

interface Site {
  readonly brake: SiteBrake
  /** in the order they were heard */
  readonly pending: Pending[]
}

/** Held verdicts of one tenant at one site. */
export interface HeldGroup {
  readonly tenant: string
  readonly site: string
  readonly since: EpochMs
  /** a sample */
  readonly reply: string
}

export type Say =
  | { readonly say: 'write'; readonly tenant: string; readonly entry: SuppressionEntry }
  | { readonly say: 'hold'; readonly verdict: Verdict }
  | { readonly say: 'brake'; readonly site: string; readonly is: 'pulled' | 'released'; readonly share: Share }
  | { readonly say: 'trip'; readonly tenant: string; readonly campaign: string; readonly site: string; readonly tripped: Tripped }

export interface HeardChunk {
  readonly tenant: string
  readonly campaign: string
  readonly at: EpochMs
  readonly outcomes: readonly Outcome[]
}

/** The least recently heard of go first; what is forgotten of a site or pair begins anew (S8). */
const SITES = 10_000
const PAIRS = 5_000
/** Verdicts that wait to be decided; past it they are held instead, which costs 18 octets each. */
const PENDING = 20_000

/**
 * What outcomes mean beyond the campaign they belong to (delivery.md §7, §8): who is to be suppressed, whether the site may be believed, and whether
 * the campaign has to stop there. Decides; whoever owns it writes entries, keeps held verdicts, pauses.
 */
export class Hygiene {
  readonly sites: Map<string, Site>
  readonly pairs: Map<string, Pair>
  readonly marks: Marks
  readonly groups: Map<number, HeldGroup>
  #pending: number

  constructor(known: Pick<Hygiene, 'sites' | 'pairs' | 'marks' | 'groups'> = { sites: new Map(), pairs: new Map(), marks: new Marks(), groups: new Map() }) {
    this.sites = known.sites
    this.pairs = known.pairs
    this.marks = known.marks
    this.groups = known.groups
    this.#pending = [...this.sites.values()].reduce((sum, { pending }) => sum + pending.length, 0)
  }

  /** `unknownMax`: of a site's row. */
  observe(chunk: HeardChunk, rules: HygieneRules, now: EpochMs, unknownMax: (site: string) => number): Say[] {
    const says: Say[] = []
    const touched = new Set<string>()
    for (const outcome of chunk.outcomes) {
      if (!isFinal(outcome.outcome)) continue
      if (isResult(outcome)) {
        const site = this.#site(outcome.site)
        touched.add(outcome.site)
        const change = site.brake.add(isUnknown(outcome), now)
        if (change) says.push({ say: 'brake', site: outcome.site, is: change, share: site.brake.share })
        const tripped = countResult(this.#pair(chunk, outcome.site), outcome, unknownMax(outcome.site))
        if (tripped) says.push(this.#trip(chunk, outcome.site, tripped))
        if (outcome.outcome === 'delivered') {
          if (this.marks.size > 0) this.marks.delete(keyOf({ tenant: chunk.tenant, rcpt: outcome.rcpt }))
        } else if (isUnknown(outcome) && outcome.suppress) {
          site.pending.push({ ...verdictOf(chunk, outcome), index: site.brake.results.total - 1 })
          this.#pending++
          continue
        }
      }
      if (outcome.suppress) says.push(...this.#strike(verdictOf(chunk, outcome), rules))
    }
    for (const site of touched) says.push(...this.#decide(site, rules, now))
    return says
  }

  /** Time has passed: verdicts with few results around them. */
  settle(rules: HygieneRules, now: EpochMs): Say[] {
    if (this.#pending === 0) return []
    return [...this.sites].flatMap(([name, { pending }]) => (pending.length > 0 ? this.#decide(name, rules, now) : []))
  }

  /** Somebody complained about a mail of the campaign that the site had taken. */
  complained(tenant: string, campaign: string, site: string): Say[] {
    const tripped = countComplaint(this.#pair({ tenant, campaign }, site))
    return tripped ? [this.#trip({ tenant, campaign }, site, tripped)] : []
  }

  /** Its breakers begin anew: with the next 200 results, five complaints more. */
  forgive(tenant: string, campaign: string, site: string): void {
    const { delivered } = this.#pair({ tenant, campaign }, site)
    this.pairs.set(pairKey(tenant, campaign, site), { ...newPair(), delivered })
  }

  get pending(): number {
    return this.#pending
  }

  /** Is this verdict still held? */
  isHeld(tenant: string, address: string): boolean {
    return this.marks.get(markKey(tenant, normalised(address)))?.kind === 'held'
  }

  /** A person has decided about it. */
  letGo(tenant: string, address: string): void {
    if (this.isHeld(tenant, address)) this.marks.delete(markKey(tenant, normalised(address)))
  }

  /** Held verdicts by tenant and site; groups of which nothing is left are forgotten. */
  heldGroups(): (HeldGroup & { readonly count: number })[] {
    const counts = new Map<number, number>()
    for (const [, mark] of this.marks.entries()) if (mark.kind === 'held') counts.set(mark.group, (counts.get(mark.group) ?? 0) + 1)
    for (const group of this.groups.keys()) if (!counts.has(group)) this.groups.delete(group)
    return [...this.groups].map(([number, group]) => ({ ...group, count: counts.get(number) ?? 0 }))
  }

  #decide(name: string, rules: HygieneRules, now: EpochMs): Say[] {
    const site = this.sites.get(name) as Site
    const says: Say[] = []
    const waiting: Pending[] = []
    for (const verdict of site.pending) {
      const decision = site.brake.decide(verdict.index, verdict.at, now, rules)
      if (decision === 'write') says.push(...this.#settled(verdict, rules))
      else if (decision === 'hold' || this.#pending > PENDING) says.push(...this.#hold(verdict))
      else {
        waiting.push(verdict)
        continue
      }
      this.#pending--
    }
    site.pending.splice(0, site.pending.length, ...waiting)
    return says
  }

  /** The site may be believed about it. */
  #settled(verdict: Verdict, rules: HygieneRules): Say[] {
    if (verdict.class !== 'unknown-user') return this.#strike(verdict, rules)
    const key = keyOf(verdict)
    const mark = this.marks.get(key)
    // What was held is confirmed by a clean retry a day later, not by the echo of the same trouble.
    if (mark?.kind === 'held' && verdict.at - mark.sinceS * 1_000 < rules.holdMs) return []
    this.marks.delete(key)
    return [write(verdict, rules)]
  }

  #hold(verdict: Verdict): Say[] {
    // An ambiguous answer would only have been a strike; from a site that is not believed it is none.
    if (verdict.class !== 'unknown-user') return []
    const key = keyOf(verdict)
    if (this.marks.get(key)?.kind === 'held') return []
    this.marks.set(key, { kind: 'held', group: this.#group(verdict), sinceS: seconds(verdict.at) })
    return [{ say: 'hold', verdict }]
  }

  #strike(verdict: Verdict, rules: HygieneRules): Say[] {
    const key = keyOf(verdict)
    const before = this.marks.get(key)
    if (before?.kind === 'held') return []
    const mark: Extract<Mark, { kind: 'strikes' }> = {
      kind: 'strikes',
      count: (before?.count ?? 0) + 1,
      firstS: before?.firstS ?? seconds(verdict.at),
      lastS: seconds(verdict.at),
    }
    const longEnough = rules.overMs === 0 || (mark.lastS - mark.firstS) * 1_000 > rules.overMs
    if (mark.count < rules.strikes || !longEnough) {
      this.marks.set(key, mark)
      return []
    }
    this.marks.delete(key)
    return [write(verdict, rules)]
  }

  #trip({ tenant, campaign }: { readonly tenant: string; readonly campaign: string }, site: string, tripped: Tripped): Say {
    this.forgive(tenant, campaign, site) // or every further result would say it again
    return { say: 'trip', tenant, campaign, site, tripped }
  }

  #group({ tenant, site, at, reply }: Verdict): number {
    let free = 0
    for (const [number, group] of this.groups) {
      if (group.tenant === tenant && group.site === site) return number
      free = Math.max(free, number + 1)
    }
    const number = free & 0x7fff
    this.groups.set(number, { tenant, site, since: at, reply })
    return number
  }

  #site(name: string): Site {
    const known = this.sites.get(name)
    if (known) {
      this.sites.delete(name)
      this.sites.set(name, known)
      return known
    }
    if (this.sites.size >= SITES) forgetFirst(this.sites, ({ brake, pending }) => pending.length === 0 && brake.pulledAt === null)
    const site: Site = { brake: new SiteBrake(), pending: [] }
    this.sites.set(name, site)
    return site
  }

  #pair({ tenant, campaign }: { readonly tenant: string; readonly campaign: string }, site: string): Pair {
    const key = pairKey(tenant, campaign, site)
    const pair = this.pairs.get(key) ?? newPair()
    this.pairs.delete(key)
    if (this.pairs.size >= PAIRS) forgetFirst(this.pairs, () => true)
    this.pairs.set(key, pair)
    return pair
  }
}

function pairKey(tenant: string, campaign: string, site: string): string {
  return `${tenant}/${campaign} ${site}`
}

function forgetFirst<V>(map: Map<string, V>, may: (value: V) => boolean): void {
  for (const [key, value] of map) {
    if (!may(value)) continue
    map.delete(key)
    return
  }
}

function verdictOf({ tenant, at }: HeardChunk, { site, rcpt, class: replyClass, code, enhanced, reply }: Outcome): Verdict {
  const text = [code, enhanced, reply].filter((part) => part !== null).join(' ')
  return { tenant, site, rcpt, class: replyClass, at, reply: text.slice(0, 500) }
}

function normalised(address: string): string {
  return normaliseAddress(address) ?? address
}

function keyOf({ tenant, rcpt }: Pick<Verdict, 'tenant' | 'rcpt'>): number {
  return markKey(tenant, normalised(rcpt))
}

const REASONS: Readonly<Partial<Record<ReplyClass, SuppressionEntry['reason']>>> = {
  'unknown-user': 'unknown-user',
  'ambiguous-user': 'ambiguous-user',
  'mailbox-full': 'mailbox-full',
  'mailbox-disabled': 'mailbox-disabled',
  'no-such-domain': 'no-such-domain',
  'null-mx': 'no-such-domain',
}

/** The entry a verdict becomes, also when a person confirms it. */
export function entryOf(verdict: Verdict, rules: HygieneRules): SuppressionEntry {
  return {
    address: verdict.rcpt,
    // A `[[rule]]` of the fleet may mark any class; what has no word of its own is a mailbox that will not take our mail.
    reason: REASONS[verdict.class] ?? 'mailbox-disabled',
    since: new Date(verdict.at).toISOString(),
    until: new Date(verdict.at + rules.unknownForMs).toISOString(),
    reply: verdict.reply,
  }
}

function write(verdict: Verdict, rules: HygieneRules): Say {
  return { say: 'write', tenant: verdict.tenant, entry: entryOf(verdict, rules) }
}
