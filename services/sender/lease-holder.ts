import type { HeldOrder } from '../../protocol/messages/mail.ts'
import type { Lease, LeaseReport, SenderRest } from '../../protocol/messages/permission.ts'
import type { MonoMs, ReplyClass } from '../../protocol/words.ts'
import type { Log } from '../runtime/log.ts'
import { type AddressUse, LeaseAddresses } from './address-use.ts'
import { Budget } from './budget.ts'
import { LeaseCounts } from './lease-counts.ts'
import { LowWater } from './low-water.ts'
import type { Orders } from './orders.ts'
import { ConnectLog, Pace, type Slot } from './pace.ts'
import type { Finding } from './policy/attempt.ts'
import { Wakers } from '../runtime/wakers.ts'
import type { Worker } from './worker.ts'
import { domainOf, type Turn, Works } from './works.ts'

/**
 * What this sender holds under one lease: orders, the works claimed from them, and the sessions that share them.
 *
 * live → ending → closed. While ending nobody takes a new recipient; what was not tried goes into each batch's one retry order.
 */
export class LeaseHolder {
  lease: Lease
  /** by this process's monotonic clock; no transaction starts after it */
  until: MonoMs
  /** when its router was told of it last */
  toldAt: MonoMs = Number.NEGATIVE_INFINITY
  /** what it was told then */
  readonly #toldAs = { open: 0, lingering: 0, queued: 0 }
  readonly counts = new LeaseCounts(() => this.#stirred(this))
  readonly pace: Pace
  readonly connects = new ConnectLog()
  /** sessions open or being opened, by the peer's address */
  readonly #addresses: LeaseAddresses
  readonly #works: Works
  readonly #workers = new Set<Worker>()
  #ending = false
  readonly #lowWater = new LowWater()
  readonly #budget: Budget
  readonly #wakers = new Wakers()
  readonly #hire: (holder: LeaseHolder) => Worker
  readonly #hungry: () => void
  readonly #stirred: (holder: LeaseHolder) => void
  readonly #mono: () => MonoMs
  readonly #wall: () => number
  readonly #log: Log

  constructor(options: {
    lease: Lease
    until: MonoMs
    orders: Orders
    /** of all leases of this process */
    use: AddressUse
    hire: (holder: LeaseHolder) => Worker
    /** the queue runs low: the router should hear at once */
    hungry: () => void
    /** something about it has changed */
    stirred: (holder: LeaseHolder) => void
    mono: () => MonoMs
    wall: () => number
    log: Log
  }) {
    this.lease = options.lease
    this.until = options.until
    this.#addresses = new LeaseAddresses(options.use, options.lease.ip)
    this.pace = new Pace(options.lease.pacePerS)
    this.#budget = new Budget(options.lease.budget)
    this.#works = new Works({
      orders: options.orders,
      wall: options.wall,
      ended: (seq) => {
        this.counts.end(seq)
        this.#wakers.wake()
      },
      changed: () => {
        this.#stirred(this)
        this.#wakers.wake()
        this.#staff()
      },
    })
    this.#hire = options.hire
    this.#hungry = options.hungry
    this.#stirred = options.stirred
    this.#mono = options.mono
    this.#wall = options.wall
    this.#log = options.log
  }

  get live(): boolean {
    return !this.#ending && this.#mono() < this.until
  }
  get ended(): boolean {
    return this.#ending
  }
  /** nothing of the lease is left here */
  get closed(): boolean {
    return this.#ending && this.#workers.size === 0 && this.#works.isEmpty
  }
  /** no order is here */
  get idle(): boolean {
    return this.#works.isEmpty
  }
  get queued(): number {
    return this.#works.queued
  }
  sessions(phase: 'open' | 'lingering'): number {
    let sessions = 0
    for (const worker of this.#workers) if (worker.phase === phase) sessions++
    return sessions
  }
  held(): Iterable<HeldOrder> {
    return this.#works.held()
  }

  /** New numbers and a new term for a lease that is held. */
  renew(lease: Pick<Lease, 'sessions' | 'pacePerS' | 'budget' | 'epoch'>, until: MonoMs): void {
    this.lease = { ...this.lease, ...lease }
    this.until = until
    this.pace.change(lease.pacePerS, this.#mono())
    this.#budget.renew(lease.budget, this.counts.done)
    this.#stirred(this)
    this.#wakers.wake() // whoever waited for budget or a slot looks again
    this.#staff()
  }

  addOrders(orders: readonly HeldOrder[]): void {
    this.#works.add(orders)
    this.#stirred(this)
    this.#lowWater.filled(this.queued, this.lease.pacePerS)
    this.#wakers.wake()
    this.#staff()
  }

  /** The next recipient to try, claimed; null when the lease ends or nothing came for `idleMs`. */
  async next(worker: Worker, idleMs: number): Promise<Turn | null> {
    const idleUntil = this.#mono() + idleMs
    for (;;) {
      if (!this.live || this.#overstaffed(worker)) return null
      const turn = this.mayStart() ? this.#works.take((domain) => worker.fits(domain)) : null
      if (turn) {
        this.#stirred(this)
        if (this.#lowWater.reached(this.queued)) this.#hungry()
        return turn
      }
      if (this.mayStart() && this.#works.hasUnclaimed) {
        await this.#works.claimNext()
        continue
      }
      const left = Math.min(idleUntil, this.until) - this.#mono()
      if (left <= 0) return null
      await this.#wakers.wakened(left)
    }
  }

  /** A recipient whose mail this worker's session can take behind the one it is about to send; taken, and to be given `back` if it does not. */
  behind(worker: Worker): Turn | null {
    if (!this.mayStart() || !this.pace.isFree(this.#mono()) || this.#overstaffed(worker)) return null
    const turn = this.#works.take((domain) => worker.fits(domain))
    if (turn === null) return null
    this.#stirred(this)
    if (turn.work.ratePace === null && worker.fits(domainOf(turn.work.batch.recipients[turn.n]?.address ?? ''))) {
      if (this.#lowWater.reached(this.queued)) this.#hungry()
      return turn
    }
    this.#works.back(turn)
    return null
  }

  /** The recipient's transaction never began: it waits for its next turn. */
  back(turn: Turn): void {
    this.#budget.end(turn, 'unused')
    this.#works.back(turn)
    this.#stirred(this)
    this.#wakers.wake()
    this.#works.finishIfDone(turn.work)
  }

  told(turn: Turn, finding: Finding): void {
    this.counts.count(finding)
    this.#budget.end(turn, finding.stage === null ? 'unused' : 'used')
    this.#works.finishIfDone(turn.work)
  }

  /** Is there anything to start a transaction for: the lease lives, and today's ramp has something left? */
  mayStart(): boolean {
    return this.live && this.#budget.isLeft
  }

  /** The last word before MAIL FROM: true = the transaction counts from now on, until `told` or `back`. */
  begin(turn: Turn): boolean {
    return this.live && this.#budget.begin(turn)
  }

  /** Which of the hops still bears a session of this lease (delivery.md §6: never more than five from one source to one address). */
  withRoom<H extends { readonly address: string }>(hops: readonly H[]): readonly H[] {
    return this.#addresses.withRoom(hops, this.lease.terms.sessionsPerAddress)
  }

  occupy(address: string, by: 1 | -1): void {
    this.#stirred(this)
    this.#addresses.occupy(address, by)
  }

  /** Resolves with whether a connect may be made: the wait for it ends with the lease. */
  async mayConnect(): Promise<boolean> {
    for (;;) {
      if (!this.mayStart()) return false
      const waitMs = this.connects.take(this.lease.terms.connectsPerMinute, this.#mono())
      if (waitMs === 0) return true
      await this.#wakers.wakened(Math.min(waitMs, this.until - this.#mono()))
    }
  }

  /** Waits for the slot, which a renewal may move, or until the lease ends. */
  async reach(slot: Slot): Promise<void> {
    for (let now = this.#mono(); this.live && now < slot.at; now = this.#mono()) await this.#wakers.wakened(Math.min(slot.at, this.until) - now)
  }

  /** A slot was one too many for the peer: until the router says otherwise the lease has one less. */
  shrink(): void {
    this.lease = { ...this.lease, sessions: Math.max(1, this.#workers.size - 1) }
    this.#stirred(this)
  }

  /** Ends the lease here: idle sessions QUIT, those before their dot close, those after it stay for the reply. */
  end(because: ReplyClass, restMs: number, orders: 'return' | 'forget'): void {
    if (this.#ending) return
    this.#ending = true
    this.#stirred(this)
    this.#log.info('lease ended', { lease: this.lease.id, site: this.lease.site, ip: this.lease.ip, because, restMs })
    for (const worker of this.#workers) worker.stop()
    this.#works.end({ because, notBefore: this.#wall() + restMs }, orders)
    this.#wakers.wake()
  }

  letGoOf(campaign: { tenant: string; campaign: string }): void {
    this.#works.letGoOf(campaign)
  }

  /** Mail of this From domain rests here: what is not under way goes back until then. */
  letGoOfSender({ from, ms, because }: SenderRest): void {
    this.#works.letGoOfSender(from, { because, notBefore: this.#wall() + ms })
  }

  /** Something that its router has not been told. An ending lease is told at every turn until it is closed. */
  hasNews(): boolean {
    if (this.#ending || this.toldAt === Number.NEGATIVE_INFINITY || !this.counts.isEmpty) return true
    const { open, lingering, queued } = this.#toldAs
    return open !== this.sessions('open') || lingering !== this.sessions('lingering') || queued !== this.queued
  }

  /** The report was perhaps not heard: it is told again at the next turn. */
  unheard(report: LeaseReport): void {
    this.counts.undrain(report)
    this.toldAt = Number.NEGATIVE_INFINITY
    this.#stirred(this)
  }

  report(now: MonoMs): LeaseReport {
    this.toldAt = now
    Object.assign(this.#toldAs, { open: this.sessions('open'), lingering: this.sessions('lingering'), queued: this.queued })
    return {
      lease: this.lease.id,
      ip: this.lease.ip,
      site: this.lease.site,
      pool: this.lease.pool,
      ...this.#toldAs,
      ...this.counts.drain(),
      closed: this.closed,
    }
  }

  async done(): Promise<void> {
    while (!this.closed) {
      await Promise.all([...this.#workers].map((worker) => worker.done))
      await this.#works.settle()
    }
  }

  /** As many sessions as the lease lends and the queue can use. */
  #staff(): void {
    while (this.live && this.#workers.size < this.lease.sessions && this.#workers.size < this.queued + this.#works.taken) {
      const worker = this.#hire(this)
      this.#workers.add(worker)
      this.#stirred(this)
      void worker.done.finally(() => {
        this.#workers.delete(worker)
        this.#stirred(this)
        this.#wakers.wake()
        this.#staff()
      })
    }
    if (this.#workers.size > this.lease.sessions) this.#wakers.wake()
  }

  /** Is this worker one too many for a lease that shrank? The youngest go first. */
  #overstaffed(worker: Worker): boolean {
    return this.#workers.size > this.lease.sessions && [...this.#workers].indexOf(worker) >= this.lease.sessions
  }
}
