/** A sender as services/sender does it, on a clock of its own: takes grants, works its orders off, reports, lets go when its lease is over. */
import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import type { Grant, GrantAnswer, Holdings, Lease, Report, ReportAnswer, SenderHere } from '../../../protocol/messages/permission.ts'
import type { OrderStream } from './order-stream.testkit.ts'
import type { Weather } from './weather.testkit.ts'

const REPORT_EVERY_MS = 250
const FRESH_TICK_MS = 1_000
/** A lease with fewer recipients left than this asks for more before its time. */
const HUNGRY_BELOW = 20
/** transactions of a session a second, at most */
const PER_SESSION = 20
/** share of transactions whose reply to the dot is slow, and how slow at most */
const SLOW = { share: 0.02, ms: 20_000 }

/** What surrounds a sender. */
export interface Surroundings {
  readonly weather: Weather
  readonly stream: OrderStream
  readonly addresses: readonly string[]
  readonly mostSessions: number
  readonly lends: (ip: string, site: string) => boolean
  /** the owner's epoch, as the key-value store has it */
  readonly epoch: () => number
  readonly finished: (batch: number) => void
}

interface Holder {
  lease: Lease
  until: number
  orders: HeldOrder[]
  /** recipients done, by order */
  readonly done: Map<number, number>
  open: number
  /** when each late reply comes */
  lingering: number[]
  ended: boolean
  /** its time ran out while its sender could not be heard: what still waits for a reply then is the known gap (README, "What it cannot know") */
  ranOut: boolean
  endedAt: number
  endedOrders: number[]
  delivered: number
  tokens: number
}

export interface Told {
  readonly report: Report
  readonly answered: (answer: ReportAnswer) => void
  /** nobody answered: what was told is told again */
  readonly lost: () => void
}

export class SenderModel {
  readonly id: string
  alive = true
  stopping = false
  #cutUntil = 0
  /** its clock = world time + offset */
  readonly #offset: number
  readonly #leases = new Map<string, Holder>()
  readonly #around: Surroundings
  #epoch = 0
  #inFlight = false
  #heardAt = 0
  #reportAt = 0

  constructor(id: string, around: Surroundings) {
    this.id = id
    this.#around = around
    this.#offset = Math.floor(around.weather.dice() * 1e6)
  }

  readonly isReached = (): boolean => this.#cutUntil <= this.#around.weather.t

  kill(): void {
    this.alive = false
    this.#leases.clear()
  }

  cut(ms: number): void {
    this.#cutUntil = this.#around.weather.t + ms
  }

  stop(): void {
    this.stopping = true
    for (const holder of this.#leases.values()) this.#end(holder, 'return')
  }

  /** S5: its own ear for `ip-manager.changed`. */
  sourceStopped(ip: string, site: string): void {
    for (const holder of this.#leases.values()) if (holder.lease.ip === ip && holder.lease.site === site) this.#end(holder, 'return')
  }

  here(): SenderHere {
    return { sender: this.id, tick: this.#mono(), sessionsFree: this.#free(), ips: this.#around.addresses, stopping: this.stopping }
  }

  take({ lease, tick, orders }: Grant): GrantAnswer {
    if (this.stopping) return { kind: 'refused', because: 'stopping' }
    if (lease.epoch < Math.max(this.#epoch, this.#around.epoch())) return { kind: 'refused', because: 'stale-epoch' }
    if (this.#mono() - tick > FRESH_TICK_MS) return { kind: 'refused', because: 'stale-tick' }
    if (!this.#around.lends(lease.ip, lease.site)) return { kind: 'refused', because: 'source-held' }
    this.#epoch = lease.epoch
    const known = this.#leases.get(lease.id)
    if (known?.ended) return { kind: 'refused', because: 'no-room' }
    if (known) {
      known.lease = lease
      known.until = tick + lease.ms
      known.orders.push(...orders.filter(({ seq }) => !known.orders.some((held) => held.seq === seq)))
      return { kind: 'accepted' }
    }
    if (lease.sessions > this.#free()) return { kind: 'refused', because: 'no-room' }
    this.#leases.set(lease.id, holderOf(lease, tick + lease.ms, orders))
    return { kind: 'accepted' }
  }

  holdings(epoch: number): Holdings {
    this.#epoch = Math.max(this.#epoch, epoch)
    const leases = [...this.#leases.values()].filter((holder) => !isClosed(holder))
    return {
      sender: this.id,
      tick: this.#mono(),
      sessionsFree: this.#free(),
      leases: leases.map((holder) => ({
        ...holder.lease,
        open: holder.open,
        lingering: holder.lingering.length,
        queued: queuedOf(holder),
        orders: holder.orders.map(({ seq }) => seq),
      })),
    }
  }

  /** Null while the last one has no answer, and when there is nothing to tell. */
  report(): Told | null {
    this.#reportAt = this.#around.weather.t + REPORT_EVERY_MS
    if (this.#inFlight || this.#leases.size === 0) return null
    this.#inFlight = true
    const told = [...this.#leases.values()].map((holder) => ({ holder, delivered: holder.delivered, ended: holder.endedOrders }))
    const leases = told.map(({ holder, delivered, ended }) => rowOf(holder, delivered, ended))
    for (const { holder } of told) Object.assign(holder, { delivered: 0, endedOrders: [] })
    const report: Report = { sender: this.id, tick: this.#mono(), sessionsFree: this.#free(), leases }
    return {
      report,
      answered: (answer) => {
        this.#inFlight = false
        this.#heardAt = this.#around.weather.t
        this.#hear(report, answer)
      },
      lost: () => {
        this.#inFlight = false
        for (const { holder, delivered, ended } of told) {
          if (this.#leases.get(holder.lease.id) !== holder) continue
          holder.delivered += delivered
          holder.endedOrders.push(...ended)
          if (isClosed(holder) && this.#mono() > holder.until + 10_000) this.#leases.delete(holder.lease.id)
        }
      },
    }
  }

  #hear(report: Report, { epoch, renew, end, tick }: ReportAnswer): void {
    for (const { lease, closed } of report.leases) if (closed) this.#leases.delete(lease)
    if (epoch < this.#epoch) return
    this.#epoch = epoch
    for (const { lease, ms, ...numbers } of renew) {
      const holder = this.#leases.get(lease)
      if (!holder || holder.ended) continue
      holder.lease = { ...holder.lease, ...numbers }
      holder.until = tick + ms
    }
    for (const id of end) {
      const holder = this.#leases.get(id)
      if (holder) this.#end(holder, 'return')
    }
  }

  /** 25 ms of work. True when it wants to report now. */
  work(): boolean {
    const { weather, stream } = this.#around
    const now = this.#mono()
    let isHungry = false
    for (const holder of this.#leases.values()) {
      holder.lingering = holder.lingering.filter((until) => until > weather.t)
      if (!holder.ended && now >= holder.until) this.#end(holder, 'forget')
      if (holder.ended && now >= holder.until && (!this.isReached() || this.#heardAt <= holder.endedAt)) holder.ranOut = true
      if (holder.ended) continue
      // Its own +WPI, as far as it can be heard.
      for (const { seq } of holder.orders) if (this.isReached() && stream.wantsWorking(seq, weather.t)) stream.working(seq, weather.t)
      if (this.#workAt(holder)) isHungry = true
    }
    return isHungry || weather.t >= this.#reportAt
  }

  #workAt(holder: Holder): boolean {
    const { sessions, pacePerS } = holder.lease
    const queued = queuedOf(holder)
    const wanted = queued > 0 ? Math.max(1, Math.min(sessions, queued)) : holder.open
    holder.open = Math.min(wanted, Math.max(0, sessions - holder.lingering.length))
    holder.tokens = Math.min(holder.open, holder.tokens + Math.min(pacePerS, holder.open * PER_SESSION) / 40)
    let isHungry = false
    while (holder.tokens >= 1 && holder.orders.length > 0 && holder.open > 0) {
      holder.tokens--
      this.#transact(holder)
      if (queuedOf(holder) < HUNGRY_BELOW) isHungry = true
    }
    return isHungry
  }

  #transact(holder: Holder): void {
    const { weather, stream, finished } = this.#around
    const { seq, order } = holder.orders[0] as HeldOrder
    const done = (holder.done.get(seq) ?? 0) + 1
    holder.done.set(seq, done)
    holder.delivered++
    if (weather.dice() < SLOW.share && holder.open > 0) {
      // The session stays, whatever becomes of the lease.
      holder.open--
      holder.lingering.push(weather.t + SLOW.ms * weather.dice())
    }
    if (done < order.count) return
    holder.orders.shift()
    holder.endedOrders.push(seq)
    if (stream.ack(seq)) finished(order.batch)
  }

  /** `return`: what was not tried goes back by a new order; `forget`: others have the right to it already. */
  #end(holder: Holder, orders: 'return' | 'forget'): void {
    const { weather, stream } = this.#around
    if (holder.ended) return
    holder.ended = true
    holder.endedAt = weather.t
    holder.open = 0 // before the dot: closed without it
    for (const { seq, order } of holder.orders.splice(0)) {
      if (orders === 'forget' || !stream.ack(seq)) continue
      holder.endedOrders.push(seq)
      stream.add({ ...order, count: order.count - (holder.done.get(seq) ?? 0) })
    }
  }

  /** Sessions really there, but for leases whose end nobody could hear of. */
  *sessions(): Iterable<{ readonly ip: string; readonly site: string; readonly sessions: number }> {
    for (const { lease, open, lingering, ranOut } of this.#leases.values())
      if (!ranOut) yield { ip: lease.ip, site: lease.site, sessions: open + lingering.length }
  }

  #mono(): number {
    return this.#around.weather.t + this.#offset
  }

  #free(): number {
    let lent = 0
    for (const { ended, lease, lingering } of this.#leases.values()) lent += ended ? lingering.length : lease.sessions
    return Math.max(0, this.#around.mostSessions - lent)
  }
}

function holderOf(lease: Lease, until: number, orders: readonly HeldOrder[]): Holder {
  return {
    lease,
    until,
    orders: [...orders],
    done: new Map(),
    open: 0,
    lingering: [],
    ended: false,
    ranOut: false,
    endedAt: 0,
    endedOrders: [],
    delivered: 0,
    tokens: 0,
  }
}

function rowOf(holder: Holder, delivered: number, ended: readonly number[]): Report['leases'][number] {
  const { id: lease, ip, site, pool } = holder.lease
  return {
    ...{ lease, ip, site, pool, open: holder.open, lingering: holder.lingering.length, queued: queuedOf(holder), delivered, ended },
    ...{ classes: {}, lastReply: null, rttMs: 5, rest: null, closed: isClosed(holder) },
  }
}

function queuedOf({ orders, done }: Holder): number {
  return orders.reduce((sum, { seq, order }) => sum + order.count - (done.get(seq) ?? 0), 0)
}

function isClosed({ ended, open, lingering, orders }: Holder): boolean {
  return ended && open === 0 && lingering.length === 0 && orders.length === 0
}
