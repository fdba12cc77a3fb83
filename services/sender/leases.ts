import type { HeldOrder } from '../../protocol/messages/mail.ts'
import type {
  Grant,
  GrantAnswer,
  Holdings,
  HoldingsAsk,
  LeaseReport,
  Report,
  ReportAnswer,
  SenderRest,
  SourceChanged,
} from '../../protocol/messages/permission.ts'
import type { MonoMs } from '../../protocol/words.ts'
import type { Owners } from '../runtime/owners.ts'
import { LeaseBook } from './lease-book.ts'
import type { LeaseHolder } from './lease-holder.ts'
import { type Appetite, firstAppetite, isCrowded, nextAppetite, offered } from './policy/appetite.ts'

/** A tick older than this says that the grant was on the way too long to be trusted (design §6 "Lease"). */
const TICK_MAX_AGE_MS = 1_000
/** Grants are taken only while the ownership bucket is being watched: the server was heard within this (it sends a heartbeat each second). */
const WATCH_SILENT_MS = 3_000

export interface LeaseRules {
  readonly sender: string
  readonly sessionsMax: number
  readonly owners: Owners
  readonly mono: () => MonoMs
  readonly stopping: () => boolean
  /** can this host send from the IP? */
  readonly canUse: (grant: Grant) => boolean
  /** is this (IP × site) held back by the ip-manager right now? */
  readonly heldBack: (ip: string, site: string) => boolean
  /** `stirred`: to be called when anything about it changes */
  readonly newHolder: (grant: Grant, until: MonoMs, stirred: (holder: LeaseHolder) => void) => LeaseHolder
}

/** Of a lease with nothing new its router hears so rarely: a renewal still has two further tries within 4 s. */
const QUIET_REPORT_MS = 1_000

/** All leases of this sender: refuses what is stale, lets go of what ran out (S3, S5). */
export class Leases {
  readonly #rules: LeaseRules
  readonly #book = new LeaseBook<LeaseHolder>()
  /** highest epoch seen per shard: an older one is refused even before the bucket's watch tells */
  readonly #epochs = new Map<string, number>()
  #appetite: Appetite

  constructor(rules: LeaseRules) {
    this.#rules = rules
    this.#appetite = firstAppetite(rules.sessionsMax)
  }

  grant(grant: Grant): GrantAnswer {
    const { lease, tick, orders } = grant
    const { mono, owners, stopping, canUse, heldBack, newHolder } = this.#rules
    if (stopping()) return { kind: 'refused', because: 'stopping' }
    if (owners.silentMs() > WATCH_SILENT_MS) return { kind: 'refused', because: 'not-ready' }
    if (lease.epoch < Math.max(owners.ownerOf(lease.shard)?.epoch ?? 0, this.#epochs.get(lease.shard) ?? 0)) return { kind: 'refused', because: 'stale-epoch' }
    const now = mono()
    if (now - tick > TICK_MAX_AGE_MS || tick > now) return { kind: 'refused', because: 'stale-tick' }
    if (heldBack(lease.ip, lease.site)) return { kind: 'refused', because: 'source-held' }
    this.#epochs.set(lease.shard, lease.epoch)
    const until = tick + lease.ms
    const holder = this.#book.get(lease.id)
    if (holder?.ended) return { kind: 'refused', because: 'no-room' }
    if (holder) {
      holder.renew(lease, until)
      holder.addOrders(orders)
      return { kind: 'accepted' }
    }
    if (!canUse(grant)) return { kind: 'refused', because: 'ip-unusable' }
    if (lease.sessions > this.sessionsFree()) return { kind: 'refused', because: 'no-room' }
    const opened = newHolder(grant, until, (holder) => this.#book.stirred(holder))
    this.#book.add(opened)
    opened.addOrders(orders)
    return { kind: 'accepted' }
  }

  /** What a router answered to a report: renewals run from the report's own tick. */
  answered(shard: string, answer: ReportAnswer): void {
    if (answer.epoch < (this.#epochs.get(shard) ?? 0)) return
    this.#epochs.set(shard, answer.epoch)
    for (const { lease, ms, ...numbers } of answer.renew) {
      const holder = this.#book.get(lease)
      if (holder && !holder.ended) holder.renew({ ...numbers, epoch: answer.epoch }, answer.tick + ms)
    }
    for (const rest of answer.senderRests ?? []) this.restSender(rest.site, rest)
    for (const id of answer.end) this.#book.get(id)?.end('lease-end', 0, 'return')
  }

  /** Leases whose time is over: their router is gone or cut off, so what it handed out comes back by itself. */
  expire(): void {
    const now = this.#rules.mono()
    for (const holder of this.#book.all()) if (!holder.ended && now >= holder.until) holder.end('lease-end', 0, 'forget')
  }

  sourceChanged({ ip, site, lends }: SourceChanged): void {
    if (lends) return
    for (const holder of this.#book.all()) {
      if (holder.lease.ip === ip && (site === null || holder.lease.site === site)) holder.end('resting', 0, 'return')
    }
  }

  /** Whichever source it was said to. */
  restSender(site: string, rest: SenderRest): void {
    for (const holder of this.#book.all()) if (holder.lease.site === site && !holder.ended) holder.letGoOfSender(rest)
  }

  /** `sites`: only there; null = everywhere. */
  letGoOf({ sites, ...campaign }: { readonly tenant: string; readonly campaign: string; readonly sites: readonly string[] | null }): void {
    for (const holder of this.#book.all()) if (sites === null || sites.includes(holder.lease.site)) holder.letGoOf(campaign)
  }

  get isEmpty(): boolean {
    return this.#book.size === 0
  }

  /** Those we hold leases of. */
  shards(): string[] {
    return this.#book.shards()
  }

  /** What the shard's router does not know yet, and what waits for its renewal; null = nothing. */
  reportFor(shard: string): Report | null {
    const now = this.#rules.mono()
    const sessionsFree = this.offered()
    // Without room our idle leases are in somebody's way: their router hears of each at every turn and may end them.
    const idleMs = isCrowded(this.sessionsFree(), sessionsFree) ? 0 : QUIET_REPORT_MS
    const leases: LeaseReport[] = []
    for (const holder of this.#book.toTell(shard, now, { quietMs: QUIET_REPORT_MS, idleMs })) {
      leases.push(holder.report(now))
      this.#book.told(holder)
    }
    return leases.length === 0 ? null : { sender: this.#rules.sender, tick: now, sessionsFree, leases }
  }

  /** A report was heard: leases that it called closed are forgotten. */
  heard(report: Report): void {
    for (const { lease, closed } of report.leases) if (closed) this.#book.forget(lease)
  }

  /** A report was perhaps not heard: its counts go into the next. */
  unheard(report: Report): void {
    for (const told of report.leases) {
      const holder = this.#book.get(told.lease)
      holder?.unheard(told)
      // Its router may be gone for good: a closed lease is not kept for ever, only until its time is over.
      if (told.closed && holder && this.#rules.mono() > holder.until + 10_000) this.#book.forget(told.lease)
    }
  }

  /** For a new owner: what this sender holds of its shard. */
  holdings({ shard, epoch }: HoldingsAsk): Holdings {
    this.#epochs.set(shard, Math.max(epoch, this.#epochs.get(shard) ?? 0))
    const leases = [...this.#book.ofShard(shard)].filter((holder) => !holder.closed)
    return {
      sender: this.#rules.sender,
      tick: this.#rules.mono(),
      sessionsFree: this.offered(),
      leases: leases.map((holder) => ({
        ...holder.lease,
        open: holder.sessions('open'),
        lingering: holder.sessions('lingering'),
        queued: holder.queued,
        orders: [...holder.held()].map(({ seq }) => seq),
      })),
    }
  }

  *held(): Iterable<HeldOrder> {
    for (const holder of this.#book.all()) yield* holder.held()
  }

  sessions(phase: 'open' | 'lingering'): number {
    let sessions = 0
    for (const holder of this.#book.all()) sessions += holder.sessions(phase)
    return sessions
  }

  /** `busy`: the share of the time since the last turn in which the event loop had work. */
  turn(busy: number): void {
    this.#appetite = nextAppetite(this.#appetite, { lent: this.#book.lent(), busy, most: this.#rules.sessionsMax })
  }

  /** Sessions that routers are told of as free. */
  offered(): number {
    return offered(this.sessionsFree(), this.#appetite.sessions, this.#book.lent())
  }

  sessionsFree(): number {
    return Math.max(0, this.#rules.sessionsMax - this.#book.lent())
  }

  /** Ends everything politely and waits until nothing is left. */
  async close(): Promise<void> {
    for (const holder of this.#book.all()) holder.end('lease-end', 0, 'return')
    await Promise.all([...this.#book.all()].map((holder) => holder.done()))
  }
}
