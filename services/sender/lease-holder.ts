import type { HeldOrder } from '../../protocol/messages/mail.ts'
import { orderId } from '../../protocol/messages/mail.ts'
import type { Lease, LeaseReport } from '../../protocol/messages/permission.ts'
import type { MonoMs, ReplyClass } from '../../protocol/words.ts'
import type { Log } from '../runtime/log.ts'
import { Budget } from './budget.ts'
import { LeaseCounts } from './lease-counts.ts'
import type { Orders } from './orders.ts'
import { ConnectLog, Pace, type Slot } from './pace.ts'
import type { Finding } from './policy/attempt.ts'
import { Wakers } from '../runtime/wakers.ts'
import { countOpen, countTaken, giveBack, type LetGo, take, type Work } from './state.ts'

/** A recipient whose turn it is. */
export interface Turn {
  readonly work: Work
  readonly n: number
}

/** What the holder needs of a session worker. */
export interface Worker {
  /** does the open session lead to this recipient's hosts? */
  fits(domain: string): boolean
  /** close now unless the dot is out: the lease is over */
  stop(): void
  readonly phase: 'none' | 'open' | 'lingering'
  readonly done: Promise<void>
}

/**
 * What this sender holds under one lease: orders, the works claimed from them, and the sessions that share them.
 *
 * live → ending → closed. While ending nobody takes a new recipient; what was not tried goes into each batch's one retry order.
 */
export class LeaseHolder {
  lease: Lease
  /** by this process's monotonic clock; no transaction starts after it */
  until: MonoMs
  readonly counts = new LeaseCounts()
  readonly pace: Pace
  readonly connects = new ConnectLog()
  /** sessions open or being opened, by the peer's address */
  readonly addresses = new Map<string, number>()
  readonly #queue: HeldOrder[] = []
  readonly #works = new Set<Work>()
  readonly #finishing = new Map<Work, Promise<void>>()
  readonly #workers = new Set<Worker>()
  #claiming: { readonly held: HeldOrder; readonly claimed: Promise<void> } | null = null
  /** orders on their way back to the scheduler */
  readonly #returning = new Set<Promise<void>>()
  #ending: LetGo | null = null
  readonly #budget: Budget
  readonly #wakers = new Wakers()
  readonly #orders: Orders
  readonly #hire: (holder: LeaseHolder) => Worker
  readonly #hungry: () => void
  readonly #mono: () => MonoMs
  readonly #wall: () => number
  readonly #log: Log

  constructor(options: {
    lease: Lease
    until: MonoMs
    orders: Orders
    hire: (holder: LeaseHolder) => Worker
    /** the queue runs low: the router should hear at once */
    hungry: () => void
    mono: () => MonoMs
    wall: () => number
    log: Log
  }) {
    this.lease = options.lease
    this.until = options.until
    this.pace = new Pace(options.lease.pacePerS)
    this.#budget = new Budget(options.lease.budget)
    this.#orders = options.orders
    this.#hire = options.hire
    this.#hungry = options.hungry
    this.#mono = options.mono
    this.#wall = options.wall
    this.#log = options.log
  }

  get live(): boolean {
    return this.#ending === null && this.#mono() < this.until
  }
  get ended(): boolean {
    return this.#ending !== null
  }
  /** nothing of the lease is left here */
  get closed(): boolean {
    const holdsNone = this.#works.size === 0 && this.#queue.length === 0 && this.#claiming === null && this.#returning.size === 0
    return this.#ending !== null && this.#workers.size === 0 && holdsNone
  }
  get queued(): number {
    let queued = 0
    for (const held of this.#queue) queued += held.order.count
    for (const work of this.#works) queued += countOpen(work)
    return queued
  }
  sessions(phase: 'open' | 'lingering'): number {
    let sessions = 0
    for (const worker of this.#workers) if (worker.phase === phase) sessions++
    return sessions
  }
  *held(): Iterable<HeldOrder> {
    yield* this.#queue
    if (this.#claiming) yield this.#claiming.held
    for (const work of this.#works) if (!work.lost) yield work.held
  }
  holdsOrder(id: number): boolean {
    for (const held of this.held()) if (orderId(held) === id) return true
    return false
  }

  /** New numbers and a new term for a lease that is held. */
  renew(lease: Pick<Lease, 'sessions' | 'pacePerS' | 'budget' | 'epoch'>, until: MonoMs): void {
    this.lease = { ...this.lease, ...lease }
    this.until = until
    this.pace.change(lease.pacePerS, this.#mono())
    this.#budget.renew(lease.budget, this.counts.done)
    this.#wakers.wake() // whoever waited for budget or a slot looks again
    this.#staff()
  }

  addOrders(orders: readonly HeldOrder[]): void {
    for (const held of orders) if (!this.holdsOrder(orderId(held))) this.#queue.push(held)
    this.#wakers.wake()
    this.#staff()
  }

  /** The next recipient to try, claimed; null when the lease ends or nothing came for `idleMs`. */
  async next(worker: Worker, idleMs: number): Promise<Turn | null> {
    const idleUntil = this.#mono() + idleMs
    let told = false
    for (;;) {
      if (!this.live || this.#overstaffed(worker)) return null
      const turn = this.mayStart() ? this.#takeOne(worker) : null
      if (turn) {
        if (this.queued <= this.#lowWater()) this.#hungry()
        return turn
      }
      if (this.mayStart() && (this.#queue.length > 0 || this.#claiming)) {
        await this.#claimNext()
        continue
      }
      // Once: the report is answered by a renewal, which wakes us, and telling again would go round as fast as the network allows.
      if (!told) this.#hungry()
      told = true
      const left = Math.min(idleUntil, this.until) - this.#mono()
      if (left <= 0) return null
      await this.#wakers.wakened(left)
    }
  }

  /** A recipient whose mail this worker's session can take behind the one it is about to send; taken, and to be given `back` if it does not. */
  behind(worker: Worker): Turn | null {
    if (!this.mayStart() || !this.pace.isFree(this.#mono()) || this.#overstaffed(worker)) return null
    const turn = this.#takeOne(worker)
    if (turn === null) return null
    if (turn.work.ratePace === null && worker.fits(domainOf(turn.work.batch.recipients[turn.n]?.address ?? ''))) {
      if (this.queued <= this.#lowWater()) this.#hungry()
      return turn
    }
    giveBack(turn.work, turn.n)
    return null
  }

  /** The recipient's transaction never began: it waits for its next turn. */
  back(turn: Turn): void {
    const { work, n } = turn
    this.#budget.end(turn, 'unused')
    giveBack(work, n)
    this.#wakers.wake()
    this.#finishIfDone(work)
  }

  told(turn: Turn, finding: Finding): void {
    this.counts.count(finding)
    this.#budget.end(turn, finding.stage === null ? 'unused' : 'used')
    this.#finishIfDone(turn.work)
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
    return hops.filter(({ address }) => (this.addresses.get(address) ?? 0) < this.lease.terms.sessionsPerAddress)
  }

  occupy(address: string, by: 1 | -1): void {
    const sessions = (this.addresses.get(address) ?? 0) + by
    if (sessions > 0) this.addresses.set(address, sessions)
    else this.addresses.delete(address)
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
  }

  /** Ends the lease here: idle sessions QUIT, those before their dot close, those after it stay for the reply. */
  end(because: ReplyClass, restMs: number, orders: 'return' | 'forget'): void {
    if (this.#ending) return
    this.#ending = { because, notBefore: this.#wall() + restMs }
    this.#log.info('lease ended', { lease: this.lease.id, site: this.lease.site, ip: this.lease.ip, because, restMs })
    for (const worker of this.#workers) worker.stop()
    for (const held of this.#queue.splice(0)) if (orders === 'return') this.#giveBack(held)
    for (const work of this.#works) this.#finishIfDone(work)
    this.#wakers.wake()
  }

  /** The rest of this campaign's mail goes back: it was paused or cancelled. */
  letGoOf(campaign: { tenant: string; campaign: string }): void {
    for (const [at, held] of [...this.#queue.entries()].reverse()) {
      if (held.order.tenant !== campaign.tenant || held.order.campaign !== campaign.campaign) continue
      this.#queue.splice(at, 1)
      this.#giveBack(held)
    }
    for (const work of this.#works) {
      if (work.batch.tenant === campaign.tenant && work.batch.campaign === campaign.campaign)
        this.letGoOfWork(work, { because: 'lease-end', notBefore: this.#wall() })
    }
  }

  /** Nobody of this work is tried any more under this order. */
  letGoOfWork(work: Work, letGo: LetGo): void {
    work.letGo ??= letGo
    this.#finishIfDone(work)
  }

  report(): LeaseReport {
    return {
      lease: this.lease.id,
      ip: this.lease.ip,
      site: this.lease.site,
      pool: this.lease.pool,
      open: this.sessions('open'),
      lingering: this.sessions('lingering'),
      queued: this.queued,
      ...this.counts.drain(),
      closed: this.closed,
    }
  }

  async done(): Promise<void> {
    while (!this.closed) {
      await Promise.all([...this.#workers].map((worker) => worker.done))
      await Promise.all([...this.#finishing.values(), ...this.#returning, this.#claiming?.claimed])
    }
  }

  #takeOne(worker: Worker): Turn | null {
    const now = this.#wall()
    for (const work of this.#works) {
      if (work.lost) this.#finishIfDone(work)
      if (work.lost || work.letGo) continue
      if (work.held.order.pauseAt !== undefined && work.held.order.pauseAt <= now) {
        this.letGoOfWork(work, { because: 'resting', notBefore: now })
        continue
      }
      const n = take(work, (n) => worker.fits(domainOf(work.batch.recipients[n]?.address ?? '')))
      if (n !== null) return { work, n }
    }
    return null
  }

  /** One claim at a time: the next order becomes work. */
  async #claimNext(): Promise<void> {
    if (this.#claiming === null) {
      const held = this.#queue.shift()
      if (!held) return
      const claimed = this.#claim(held).finally(() => {
        this.#claiming = null
        this.#wakers.wake()
      })
      this.#claiming = { held, claimed }
    }
    await this.#claiming.claimed
  }

  async #claim(held: HeldOrder): Promise<void> {
    const work = await this.#orders.open(held)
    if (work === null) {
      this.#ordersEnded(held.seq)
      return
    }
    this.#works.add(work)
    this.#finishIfDone(work)
    this.#staff()
  }

  #giveBack(held: HeldOrder): void {
    const returning: Promise<void> = this.#orders.giveBack(held).finally(() => {
      this.#returning.delete(returning)
      this.#ordersEnded(held.seq)
    })
    this.#returning.add(returning)
  }

  #finishIfDone(work: Work): void {
    if (!this.#works.has(work) || this.#finishing.has(work)) return
    const stopped = this.#ending !== null || work.letGo !== null || work.lost
    if (countTaken(work) > 0 || (countOpen(work) > 0 && !stopped)) return
    const letGo = work.letGo ?? this.#ending ?? { because: 'lease-end', notBefore: this.#wall() }
    const finishing = this.#orders.finish(work, letGo).finally(() => {
      this.#works.delete(work)
      this.#finishing.delete(work)
      this.#ordersEnded(work.held.seq)
    })
    this.#finishing.set(work, finishing)
  }

  #ordersEnded(seq: number): void {
    this.counts.ended.push(seq)
    this.#wakers.wake()
  }

  /** As many sessions as the lease lends and the queue can use. */
  #staff(): void {
    while (this.live && this.#workers.size < this.lease.sessions && this.#workers.size < this.queued + this.#taken) {
      const worker = this.#hire(this)
      this.#workers.add(worker)
      void worker.done.finally(() => {
        this.#workers.delete(worker)
        this.#wakers.wake()
        this.#staff()
      })
    }
    if (this.#workers.size > this.lease.sessions) this.#wakers.wake()
  }

  /** Recipients that a worker is busy with. */
  get #taken(): number {
    let taken = 0
    for (const work of this.#works) taken += countTaken(work)
    return taken
  }

  /** Is this worker one too many for a lease that shrank? The youngest go first. */
  #overstaffed(worker: Worker): boolean {
    return this.#workers.size > this.lease.sessions && [...this.#workers].indexOf(worker) >= this.lease.sessions
  }

  /** Below this the router should already be sending more: about a second of the lease's pace. */
  #lowWater(): number {
    return Math.min(200, Math.max(20, this.lease.pacePerS))
  }
}

/** The part behind the last @, lower case. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
