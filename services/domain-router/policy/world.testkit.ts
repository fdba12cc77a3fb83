/**
 * A shard on virtual time: routers that come and go, senders that obey leases on clocks of their own, a stream with ack_wait, an ip-manager, and a network
 * that delays and loses. At every step the truth (sessions really open) is compared with what was permitted.
 */
import type { HeldOrder, Order } from '../../../protocol/messages/mail.ts'
import type { Allowance, Grant, GrantAnswer, Holdings, Lease, Report, ReportAnswer } from '../../../protocol/messages/permission.ts'
import type { Lane } from '../../../protocol/words.ts'
import { type Moment, newShard, type Shard } from '../state.ts'
import { violations } from './figures.ts'
import type { Heard, Memory, Say } from './messages.ts'
import { networkOf } from './network.ts'
import { ACK_WAIT_MS, GRANT_TIMEOUT_MS, MAX_ACK_PENDING } from './numbers.ts'
import { receive } from './receive.ts'
import type { Roster } from './roster.ts'
import { wanted } from './want.ts'

export const WALL = Date.UTC(2026, 10, 24)
export const SHARD = 't00'

export interface Source {
  readonly address: string
  readonly pool: string
}

export interface WorldOptions {
  readonly seed: number
  readonly sources: readonly Source[]
  readonly senders: number
  /** 0 … 1: share of messages that never arrive */
  readonly loss: number
  readonly delayMs: number
  /** per (IP × site) */
  readonly sessions: number
  readonly pacePerS?: number
  readonly sessionsPerSender?: number
}

interface RouterModel {
  readonly name: string
  shard: Shard
  alive: boolean
  wakeAt: number | null
}

interface HolderModel {
  lease: Lease
  until: number
  orders: HeldOrder[]
  done: Map<number, number>
  open: number
  lingering: number[] // when each reply comes
  ended: boolean
  /** its time ran out while its sender could not be heard: what still waits for a reply then is the known gap (README, "What it cannot know") */
  ranOut: boolean
  endedAt: number
  endedOrders: number[]
  delivered: number
  tokens: number
}

export interface SenderModel {
  readonly id: string
  /** its clock = world time + offset */
  readonly offset: number
  leases: Map<string, HolderModel>
  epoch: number
  alive: boolean
  cutUntil: number
  stopping: boolean
  inFlight: boolean
  /** a report of it was answered */
  heardAt: number
  reportAt: number
}

interface StreamOrder {
  readonly held: HeldOrder
  due: number | null // redelivered then; null = not delivered yet
  acked: boolean
}

export class World {
  t = 0
  readonly routers: RouterModel[] = []
  readonly senders: SenderModel[] = []
  readonly orders: StreamOrder[] = []
  readonly finished: number[] = [] // orders' batch numbers as their recipients were done
  readonly said: Say[] = []
  readonly broken: string[] = []
  readonly lends = new Map<string, boolean>() // `${ip} ${site}`
  memory: Memory | null = null
  owner: RouterModel | null = null
  epoch = 0
  most = 0
  readonly #events: { at: number; n: number; run: () => void }[] = []
  readonly #options: WorldOptions
  #seed: number
  #n = 0
  #seq = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.#seed = options.seed
    for (let n = 0; n < options.senders; n++) this.addSender()
    this.addRouter()
    this.takeOver()
    this.#every(25, () => this.#step())
  }

  dice = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let x = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }

  run(ms: number): void {
    const until = this.t + ms
    for (;;) {
      const next = this.#events[0]
      if (next === undefined || next.at > until) break
      this.#events.shift()
      this.t = next.at
      next.run()
    }
    this.t = until
  }

  // -- what a test does

  addOrder(order: Partial<Order> & { site: string; pool: string }): number {
    const seq = ++this.#seq
    const full: Order = {
      v: 1,
      tenant: 'acme',
      campaign: 'c1',
      kind: 'marketing',
      lane: 'bulk',
      provider: null,
      batch: seq,
      mask: new Uint8Array(13),
      count: 10,
      attempt: 0,
      deadline: WALL + 86_400_000,
      ...order,
    }
    this.orders.push({ held: { order: full, seq, ackSubject: `ack.${seq}` }, due: null, acked: false })
    return full.batch
  }

  addSender(): SenderModel {
    const sender: SenderModel = {
      id: `s${this.senders.length}`,
      offset: Math.floor(this.dice() * 1e6),
      leases: new Map(),
      epoch: 0,
      alive: true,
      cutUntil: 0,
      stopping: false,
      inFlight: false,
      heardAt: 0,
      reportAt: 0,
    }
    this.senders.push(sender)
    this.#every(500, () => sender.alive && this.#tellHere(sender))
    return sender
  }

  addRouter(): RouterModel {
    const roster: Roster = new Map()
    const network = networkOf({
      ip: this.#options.sources.map(({ address, pool }) => ({ address, pool, ehlo: 'mx.hato.example', egress: 'bind' })),
      isp: [{ name: 'tail', sessions_per_ip: this.#options.sessions, mails_per_second: this.#options.pacePerS ?? 1_000 }],
    })
    const router: RouterModel = {
      name: `r${this.routers.length}`,
      shard: newShard(SHARD, `r${this.routers.length}`, roster, network),
      alive: true,
      wakeAt: null,
    }
    this.routers.push(router)
    return router
  }

  /** The next living router owns the shard under a new epoch. */
  takeOver(): void {
    const next = this.routers.find(({ alive }) => alive)
    if (next === undefined) return
    this.owner = next
    this.epoch++
    this.#tell(next, { on: 'gained', epoch: this.epoch, memory: this.memory })
  }

  killOwner(unseenMs: number): void {
    if (this.owner === null) return
    this.owner.alive = false
    this.owner = null
    this.addRouter()
    this.#later(unseenMs, () => this.takeOver())
  }

  releaseOwner(): void {
    const { owner } = this
    if (owner === null) return
    this.#tell(owner, { on: 'released' })
    owner.alive = false
    this.owner = null
    this.addRouter()
    this.#later(50, () => this.takeOver())
  }

  killSender(sender: SenderModel): void {
    sender.alive = false
    sender.leases.clear()
  }

  cutSender(sender: SenderModel, ms: number): void {
    sender.cutUntil = this.t + ms
  }

  stopSender(sender: SenderModel): void {
    sender.stopping = true
    for (const holder of sender.leases.values()) this.#end(holder, 'return')
  }

  setLends(ip: string, site: string, lends: boolean): void {
    this.lends.set(`${ip} ${site}`, lends)
    if (this.owner)
      this.#tell(this.owner, {
        on: 'sourceChanged',
        changed: { epoch: 1, ip, site, lends, because: 'reputation', until: lends ? null : this.#wall() + 60_000 },
      })
    if (!lends)
      for (const sender of this.senders)
        for (const holder of sender.leases.values()) if (holder.lease.ip === ip && holder.lease.site === site) this.#end(holder, 'return')
  }

  tell(heard: Heard): void {
    if (this.owner) this.#tell(this.owner, heard)
  }

  get open(): number {
    return this.orders.filter(({ acked }) => !acked).length
  }

  /** sessions really there */
  sessionsAt(ip: string, site?: string): number {
    let sessions = 0
    for (const sender of this.senders)
      for (const { lease, open, lingering } of sender.leases.values())
        if (lease.ip === ip && (site === undefined || lease.site === site)) sessions += open + lingering.length
    return sessions
  }

  // -- the network

  #later(ms: number, run: () => void): void {
    const event = { at: this.t + ms, n: this.#n++, run }
    let at = this.#events.length
    while (
      at > 0 &&
      ((this.#events[at - 1] as typeof event).at > event.at ||
        ((this.#events[at - 1] as typeof event).at === event.at && (this.#events[at - 1] as typeof event).n > event.n))
    )
      at--
    this.#events.splice(at, 0, event)
  }

  #every(ms: number, run: () => void): void {
    const again = () => {
      run()
      this.#later(ms, again)
    }
    this.#later(ms * this.dice(), again)
  }

  #send(arrive: () => void, sender?: SenderModel): void {
    if (this.dice() < this.#options.loss || (sender && sender.cutUntil > this.t)) return
    this.#later(1 + this.dice() * this.#options.delayMs, () => {
      if (!sender || sender.cutUntil <= this.t) arrive()
    })
  }

  #wall(): number {
    return WALL + this.t
  }

  #at(router: RouterModel): Moment {
    return { now: this.#wall(), mono: this.t, dice: this.dice, mayGrant: router === this.owner }
  }

  #tell(router: RouterModel, heard: Heard): void {
    if (!router.alive) return
    const { say, wakeAt } = receive(router.shard, heard, this.#at(router))
    router.wakeAt = wakeAt
    for (const said of say) this.#obey(router, said)
    for (const what of violations(router.shard)) this.broken.push(`${this.t}: ${what}`)
  }

  #obey(router: RouterModel, said: Say): void {
    this.said.push(said)
    switch (said.say) {
      case 'grant':
        return this.#deliverGrant(router, said.sender, said.grant)
      case 'askHoldings': {
        const sender = this.senders.find(({ id }) => id === said.sender)
        const late = this.#answer(router, 500, { on: 'holdingsTimedOut', sender: said.sender })
        if (sender?.alive)
          this.#send(() => sender.alive && this.#send(late({ on: 'holdingsAnswered', holdings: this.#holdings(sender, said.ask.epoch) }), sender), sender)
        return
      }
      case 'askAllowances': {
        const { sites, tick } = said.ask
        const allowances = sites.flatMap(({ site, pools }) =>
          this.#options.sources.filter(({ pool }) => pools.includes(pool)).map(({ address, pool }) => this.#allowance(address, site, pool)),
        )
        this.#send(() => this.#tell(router, { on: 'allowances', allowances: { epoch: 1, tick, ms: 4_000, allowances }, asked: sites }))
        return
      }
      case 'touch': {
        const order = this.orders[said.held.seq - 1]
        if (order && order.due !== null) order.due = this.t + ACK_WAIT_MS[said.held.order.lane]
        return
      }
      case 'park': {
        const order = this.orders[said.held.seq - 1] as StreamOrder
        if (order.acked) return
        order.acked = true
        this.#later(Math.max(20, (said.at ?? 0) - this.#wall()), () => this.addOrder(said.held.order))
        return
      }
      case 'save': {
        const memory = structuredClone(said.memory)
        const { epoch } = this
        this.#later(1 + this.dice() * this.#options.delayMs, () => {
          if (epoch !== this.epoch) return // compare-and-set: the next owner has written
          this.memory = memory
          this.#tell(router, { on: 'saved', holders: memory.holders })
        })
      }
    }
  }

  #allowance(ip: string, site: string, pool: string): Allowance {
    const lends = this.lends.get(`${ip} ${site}`) ?? true
    return {
      ip,
      site,
      pool,
      mode: lends ? 'steady' : 'cooling',
      ipMode: 'serving',
      lends,
      sessions: 1_000,
      pacePerS: 1e6,
      budget: null,
      because: lends ? '' : 'reputation',
      until: lends ? null : this.#wall() + 60_000,
    }
  }

  /** The answer, if it comes before the time-out. */
  #answer(router: RouterModel, ms: number, timedOut: Heard): (heard: Heard) => () => void {
    let over = false
    this.#later(ms, () => {
      if (!over) this.#tell(router, timedOut)
      over = true
    })
    return (heard) => () => {
      if (!over) this.#tell(router, heard)
      over = true
    }
  }

  // -- senders, as services/sender does it

  #mono(sender: SenderModel): number {
    return this.t + sender.offset
  }

  #free(sender: SenderModel): number {
    let lent = 0
    for (const { ended, lease, lingering } of sender.leases.values()) lent += ended ? lingering.length : lease.sessions
    return Math.max(0, (this.#options.sessionsPerSender ?? 50) - lent)
  }

  #tellHere(sender: SenderModel): void {
    const here = {
      sender: sender.id,
      tick: this.#mono(sender),
      sessionsFree: this.#free(sender),
      ips: this.#options.sources.map(({ address }) => address),
      stopping: sender.stopping,
    }
    for (const router of this.routers) if (router.alive) this.#send(() => this.#tell(router, { on: 'senderHere', here }), sender)
  }

  #deliverGrant(router: RouterModel, id: string, grant: Grant): void {
    const late = this.#answer(router, GRANT_TIMEOUT_MS, { on: 'grantTimedOut', lease: grant.lease.id })
    const sender = this.senders.find((sender) => sender.id === id)
    if (!sender?.alive) return
    this.#send(() => {
      if (!sender.alive) return
      const answer = this.#takeGrant(sender, grant)
      this.#send(late({ on: 'grantAnswered', lease: grant.lease.id, answer }), sender)
    }, sender)
  }

  #takeGrant(sender: SenderModel, { lease, tick, orders }: Grant): GrantAnswer {
    const now = this.#mono(sender)
    if (sender.stopping) return { kind: 'refused', because: 'stopping' }
    if (lease.epoch < Math.max(sender.epoch, this.epoch)) return { kind: 'refused', because: 'stale-epoch' }
    if (now - tick > 1_000) return { kind: 'refused', because: 'stale-tick' }
    if (this.lends.get(`${lease.ip} ${lease.site}`) === false) return { kind: 'refused', because: 'source-held' }
    sender.epoch = lease.epoch
    const known = sender.leases.get(lease.id)
    if (known?.ended) return { kind: 'refused', because: 'no-room' }
    if (known) {
      known.lease = lease
      known.until = tick + lease.ms
      known.orders.push(...orders.filter(({ seq }) => !known.orders.some((held) => held.seq === seq)))
      return { kind: 'accepted' }
    }
    if (lease.sessions > this.#free(sender)) return { kind: 'refused', because: 'no-room' }
    sender.leases.set(lease.id, {
      lease,
      until: tick + lease.ms,
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
    })
    return { kind: 'accepted' }
  }

  #end(holder: HolderModel, orders: 'return' | 'forget'): void {
    if (holder.ended) return
    holder.ended = true
    holder.endedAt = this.t
    holder.open = 0 // before the dot: closed without it
    for (const { seq, order } of holder.orders.splice(0)) {
      const stream = this.orders[seq - 1] as StreamOrder
      if (orders === 'forget' || stream.acked) continue
      stream.acked = true
      holder.endedOrders.push(seq)
      this.addOrder({ ...order, count: order.count - (holder.done.get(seq) ?? 0) })
    }
  }

  #holdings(sender: SenderModel, epoch: number): Holdings {
    sender.epoch = Math.max(sender.epoch, epoch)
    const leases = [...sender.leases.values()].filter((holder) => !this.#closed(holder))
    return {
      sender: sender.id,
      tick: this.#mono(sender),
      sessionsFree: this.#free(sender),
      leases: leases.map((holder) => ({
        ...holder.lease,
        open: holder.open,
        lingering: holder.lingering.length,
        queued: this.#queued(holder),
        orders: holder.orders.map(({ seq }) => seq),
      })),
    }
  }

  #queued(holder: HolderModel): number {
    return holder.orders.reduce((sum, { seq, order }) => sum + order.count - (holder.done.get(seq) ?? 0), 0)
  }

  #closed(holder: HolderModel): boolean {
    return holder.ended && holder.open === 0 && holder.lingering.length === 0 && holder.orders.length === 0
  }

  #report(sender: SenderModel): void {
    const { owner } = this
    sender.reportAt = this.t + 250
    if (sender.inFlight || owner === null || sender.leases.size === 0) return
    sender.inFlight = true
    const told = new Map<string, { delivered: number; ended: number[] }>()
    const report: Report = {
      sender: sender.id,
      tick: this.#mono(sender),
      sessionsFree: this.#free(sender),
      leases: [...sender.leases].map(([id, holder]) => {
        const counts = { delivered: holder.delivered, ended: holder.endedOrders }
        told.set(id, counts)
        holder.delivered = 0
        holder.endedOrders = []
        const { ip, site, pool } = holder.lease
        return {
          lease: id,
          ip,
          site,
          pool,
          open: holder.open,
          lingering: holder.lingering.length,
          queued: this.#queued(holder),
          ...counts,
          classes: {},
          lastReply: null,
          rttMs: 5,
          rest: null,
          closed: this.#closed(holder),
        }
      }),
    }
    let answered = false
    this.#later(1_000, () => {
      if (answered) return
      answered = true
      sender.inFlight = false
      for (const [id, counts] of told) {
        const holder = sender.leases.get(id)
        if (!holder) continue
        holder.delivered += counts.delivered
        holder.endedOrders.push(...counts.ended)
        if (this.#closed(holder) && this.#mono(sender) > holder.until + 10_000) sender.leases.delete(id)
      }
    })
    const take = (answer: ReportAnswer) => {
      if (answered || !sender.alive) return
      answered = true
      sender.inFlight = false
      sender.heardAt = this.t
      for (const { lease, closed } of report.leases) if (closed) sender.leases.delete(lease)
      if (answer.epoch < sender.epoch) return
      sender.epoch = answer.epoch
      for (const { lease, ms, ...numbers } of answer.renew) {
        const holder = sender.leases.get(lease)
        if (!holder || holder.ended) continue
        holder.lease = { ...holder.lease, ...numbers }
        holder.until = answer.tick + ms
      }
      for (const id of answer.end) {
        const holder = sender.leases.get(id)
        if (holder) this.#end(holder, 'return')
      }
    }
    this.#send(() => {
      const router = this.owner
      if (!router?.alive) return
      const { say, wakeAt } = receive(router.shard, { on: 'report', report }, this.#at(router))
      router.wakeAt = wakeAt
      for (const said of say) {
        if (said.say === 'answerReport') this.#send(() => take(said.answer), sender)
        else this.#obey(router, said)
      }
      for (const what of violations(router.shard)) this.broken.push(`${this.t}: ${what}`)
    }, sender)
  }

  /** 25 ms of everybody's work. */
  #step(): void {
    for (const sender of this.senders) if (sender.alive) this.#work(sender)
    this.#checkTruth()
    const { owner } = this
    if (owner?.alive) {
      if (owner.wakeAt !== null && owner.wakeAt <= this.t) this.#tell(owner, { on: 'tick' })
      for (const lane of ['urgent', 'bulk'] as const) this.#deliver(owner, lane)
    }
  }

  #deliver(owner: RouterModel, lane: Lane): void {
    const live = this.orders.filter(({ acked, held }) => !acked && held.order.lane === lane)
    let room = Math.min(wanted(owner.shard, lane, 'look'), MAX_ACK_PENDING - live.filter(({ due }) => due !== null && due > this.t).length)
    const arrived: HeldOrder[] = []
    for (const order of live) {
      if (room <= 0) break
      if (order.due !== null && order.due > this.t) continue
      order.due = this.t + ACK_WAIT_MS[lane]
      arrived.push(order.held)
      room--
    }
    if (arrived.length > 0) this.#tell(owner, { on: 'ordersArrived', orders: arrived })
  }

  #work(sender: SenderModel): void {
    const now = this.#mono(sender)
    let hungry = false
    for (const holder of sender.leases.values()) {
      holder.lingering = holder.lingering.filter((until) => until > this.t)
      if (!holder.ended && now >= holder.until) this.#end(holder, 'forget')
      if (holder.ended && now >= holder.until && (sender.cutUntil > this.t || sender.heardAt <= holder.endedAt)) holder.ranOut = true
      if (holder.ended) continue
      for (const { seq, order } of holder.orders) {
        const stream = this.orders[seq - 1]
        // its own +WPI, as far as it can be heard
        if (stream && sender.cutUntil <= this.t && stream.due !== null && stream.due - this.t < (ACK_WAIT_MS[order.lane] * 2) / 3)
          stream.due = this.t + ACK_WAIT_MS[order.lane]
      }
      holder.open = Math.min(
        this.#queued(holder) > 0 ? Math.max(1, Math.min(holder.lease.sessions, this.#queued(holder))) : holder.open,
        Math.max(0, holder.lease.sessions - holder.lingering.length),
      )
      holder.tokens = Math.min(holder.open, holder.tokens + Math.min(holder.lease.pacePerS, holder.open * 20) / 40)
      while (holder.tokens >= 1 && holder.orders.length > 0 && holder.open > 0) {
        holder.tokens--
        this.#transact(holder)
        if (this.#queued(holder) < 20) hungry = true
      }
    }
    if (hungry || this.t >= sender.reportAt) this.#report(sender)
  }

  #transact(holder: HolderModel): void {
    const held = holder.orders[0] as HeldOrder
    const done = (holder.done.get(held.seq) ?? 0) + 1
    holder.done.set(held.seq, done)
    holder.delivered++
    if (this.dice() < 0.02 && holder.open > 0) {
      // a slow reply to the dot: the session stays, whatever becomes of the lease
      holder.open--
      holder.lingering.push(this.t + 20_000 * this.dice())
    }
    if (done < held.order.count) return
    holder.orders.shift()
    holder.endedOrders.push(held.seq)
    const stream = this.orders[held.seq - 1] as StreamOrder
    if (!stream.acked) this.finished.push(held.order.batch)
    stream.acked = true
  }

  #checkTruth(): void {
    const most = new Map<string, number>()
    for (const sender of this.senders) {
      for (const { lease, open, lingering, ranOut } of sender.leases.values()) {
        if (ranOut) continue
        const key = `${lease.ip} ${lease.site}`
        most.set(key, (most.get(key) ?? 0) + open + lingering.length)
      }
    }
    for (const [key, sessions] of most) {
      this.most = Math.max(this.most, sessions)
      if (sessions > this.#options.sessions) this.broken.push(`S4 at ${this.t}: ${sessions} sessions at ${key}, ${this.#options.sessions} allowed`)
    }
  }
}
