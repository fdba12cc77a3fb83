/**
 * A shard on virtual time: routers that come and go, senders that obey leases on clocks of their own, a stream with ack_wait, an ip-manager, and a network
 * that delays and loses. At every step the truth (sessions really open) is compared with what was permitted.
 */
import type { Order } from '../../../protocol/messages/mail.ts'
import type { Allowance, Grant } from '../../../protocol/messages/permission.ts'
import { LANES } from '../../../protocol/words.ts'
import { type Moment, newShard, type Shard } from '../state.ts'
import { violations } from './figures.ts'
import type { Heard, Memory, Say } from './messages.ts'
import { networkOf } from './network.ts'
import { GRANT_HEARD_MS } from './numbers.ts'
import { OrderStream, WALL } from './order-stream.testkit.ts'
import { receive } from './receive.ts'
import { SenderModel } from './sender.testkit.ts'
import { wanted } from './want.ts'
import { Weather, type WeatherOptions } from './weather.testkit.ts'

const SHARD = 't00'
const STEP_MS = 25

export interface WorldOptions extends WeatherOptions {
  readonly sources: readonly { readonly address: string; readonly pool: string }[]
  readonly senders: number
  /** per (IP × site) */
  readonly sessions: number
  readonly sessionsPerSender?: number
}

interface RouterModel {
  readonly shard: Shard
  alive: boolean
  wakeAt: number | null
}

export class World {
  readonly senders: SenderModel[] = []
  /** orders' batch numbers as their recipients were done */
  readonly finished: number[] = []
  /** what the deciders or the far end found wrong */
  readonly broken: string[] = []
  /** most sessions ever open at one (IP × site) */
  most = 0
  readonly #weather: Weather
  readonly #stream = new OrderStream()
  readonly #options: WorldOptions
  readonly #routers: RouterModel[] = []
  /** `${ip} ${site}` */
  readonly #heldBack = new Set<string>()
  #memory: Memory | null = null
  #owner: RouterModel | null = null
  #epoch = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.#weather = new Weather(options)
    for (let n = 0; n < options.senders; n++) this.addSender()
    this.#addRouter()
    this.#takeOver()
    this.#weather.every(STEP_MS, () => this.#step())
  }

  // -- what a test does

  run(ms: number): void {
    this.#weather.run(ms)
  }

  addOrder(order: Partial<Order> & { site: string; pool: string }): void {
    this.#stream.add(order)
  }

  addSender(): void {
    const sender = new SenderModel(`s${this.senders.length}`, {
      weather: this.#weather,
      stream: this.#stream,
      addresses: this.#options.sources.map(({ address }) => address),
      mostSessions: this.#options.sessionsPerSender ?? 50,
      lends: (ip, site) => this.#lends(ip, site),
      epoch: () => this.#epoch,
      finished: (batch) => this.finished.push(batch),
    })
    this.senders.push(sender)
    this.#weather.every(500, () => {
      if (sender.alive) this.#tellHere(sender)
    })
  }

  killOwner(unseenMs: number): void {
    if (this.#owner !== null) this.#replaceOwner(this.#owner, unseenMs)
  }

  releaseOwner(): void {
    if (this.#owner === null) return
    this.#tell(this.#owner, { on: 'released' })
    this.#replaceOwner(this.#owner, 50)
  }

  setLends(ip: string, site: string, lends: boolean): void {
    if (lends) this.#heldBack.delete(`${ip} ${site}`)
    else this.#heldBack.add(`${ip} ${site}`)
    const until = lends ? null : this.#wall() + 60_000
    if (this.#owner) this.#tell(this.#owner, { on: 'sourceChanged', changed: { epoch: 1, ip, site, lends, because: 'reputation', until } })
    if (!lends) for (const sender of this.senders) sender.sourceStopped(ip, site)
  }

  /** orders nobody has finished */
  get open(): number {
    return this.#stream.open
  }

  // -- routers

  #addRouter(): void {
    const name = `r${this.#routers.length}`
    const network = networkOf({
      ip: this.#options.sources.map(({ address, pool }) => ({ address, pool, ehlo: 'mx.hato.example', egress: 'bind' })),
      isp: [{ name: 'tail', sessions_per_ip: this.#options.sessions, mails_per_second: 1_000 }],
    })
    this.#routers.push({ shard: newShard(SHARD, name, new Map(), network), alive: true, wakeAt: null })
  }

  #replaceOwner(owner: RouterModel, afterMs: number): void {
    owner.alive = false
    this.#owner = null
    this.#addRouter()
    this.#weather.later(afterMs, () => this.#takeOver())
  }

  /** The next living router owns the shard under a new epoch. */
  #takeOver(): void {
    const next = this.#routers.find(({ alive }) => alive)
    if (next === undefined) return
    this.#owner = next
    this.#epoch++
    this.#tell(next, { on: 'gained', epoch: this.#epoch, memory: this.#memory })
  }

  #tell(router: RouterModel, heard: Heard): void {
    if (router.alive) for (const said of this.#heard(router, heard)) this.#obey(router, said)
  }

  #heard(router: RouterModel, heard: Heard): Say[] {
    const at: Moment = { now: this.#wall(), mono: this.#weather.t, dice: this.#weather.dice, mayGrant: router === this.#owner }
    const { say, wakeAt } = receive(router.shard, heard, at)
    router.wakeAt = wakeAt
    for (const what of violations(router.shard)) this.broken.push(`${this.#weather.t}: ${what}`)
    return say
  }

  #obey(router: RouterModel, said: Say): void {
    switch (said.say) {
      case 'grant':
        return this.#deliverGrant(router, said.sender, said.grant)
      case 'askHoldings':
        return this.#askHoldings(router, said.sender, said.ask.epoch)
      case 'askAllowances': {
        const { sites, tick } = said.ask
        const of = (pools: readonly string[]) => this.#options.sources.filter(({ pool }) => pools.includes(pool))
        const allowances = sites.flatMap(({ site, pools }) => of(pools).map(({ address, pool }) => this.#allowance(address, site, pool)))
        return this.#weather.send(() => this.#tell(router, { on: 'allowances', allowances: { epoch: 1, tick, ms: 4_000, allowances }, asked: sites }))
      }
      case 'touch':
        return this.#stream.working(said.held.seq, this.#weather.t)
      case 'park':
        if (!this.#stream.ack(said.held.seq)) return
        return this.#weather.later(Math.max(20, (said.at ?? 0) - this.#wall()), () => this.addOrder(said.held.order))
      case 'save':
        return this.#save(router, structuredClone(said.memory))
    }
  }

  #save(router: RouterModel, memory: Memory): void {
    const epoch = this.#epoch
    this.#weather.later(this.#weather.delay(), () => {
      if (epoch !== this.#epoch) return // compare-and-set: the next owner has written
      this.#memory = memory
      this.#tell(router, { on: 'saved', holders: memory.holders })
    })
  }

  // -- what goes between them and the senders

  #tellHere(sender: SenderModel): void {
    const here = sender.here()
    for (const router of this.#routers) if (router.alive) this.#weather.send(() => this.#tell(router, { on: 'senderHere', here }), sender.isReached)
  }

  #askHoldings(router: RouterModel, id: string, epoch: number): void {
    const answer = this.#withTimeOut(router, 500, { on: 'holdingsTimedOut', sender: id })
    this.#call(id, (sender) => answer({ on: 'holdingsAnswered', holdings: sender.holdings(epoch) }))
  }

  #deliverGrant(router: RouterModel, id: string, grant: Grant): void {
    const lease = grant.lease.id
    const { orders } = grant
    const answer = this.#withTimeOut(router, GRANT_HEARD_MS, { on: 'grantTimedOut', lease, orders })
    this.#call(id, (sender) => answer({ on: 'grantAnswered', lease, orders, answer: sender.take(grant) }))
  }

  /** A question to a sender and its way back. */
  #call(id: string, answer: (sender: SenderModel) => () => void): void {
    const sender = this.senders.find((known) => known.id === id)
    if (!sender?.alive) return
    this.#weather.send(() => {
      if (sender.alive) this.#weather.send(answer(sender), sender.isReached)
    }, sender.isReached)
  }

  /** The answer, if it comes before the time-out. */
  #withTimeOut(router: RouterModel, ms: number, timedOut: Heard): (heard: Heard) => () => void {
    let over = false
    const first = (heard: Heard) => () => {
      if (!over) this.#tell(router, heard)
      over = true
    }
    this.#weather.later(ms, first(timedOut))
    return first
  }

  #report(sender: SenderModel): void {
    if (this.#owner === null) return
    const told = sender.report()
    if (told === null) return
    let over = false
    this.#weather.later(1_000, () => {
      if (!over) told.lost()
      over = true
    })
    this.#weather.send(() => {
      const router = this.#owner
      if (!router?.alive) return
      for (const said of this.#heard(router, { on: 'report', report: told.report })) {
        if (said.say !== 'answerReport') this.#obey(router, said)
        else
          this.#weather.send(() => {
            if (!over && sender.alive) told.answered(said.answer)
            over = true
          }, sender.isReached)
      }
    }, sender.isReached)
  }

  // -- the ip-manager

  #lends(ip: string, site: string): boolean {
    return !this.#heldBack.has(`${ip} ${site}`)
  }

  #allowance(ip: string, site: string, pool: string): Allowance {
    const usual = { ip, site, pool, ipMode: 'serving', sessions: 1_000, pacePerS: 1e6, budget: null } as const
    return this.#lends(ip, site)
      ? { ...usual, mode: 'steady', lends: true, because: '', until: null }
      : { ...usual, mode: 'cooling', lends: false, because: 'reputation', until: this.#wall() + 60_000 }
  }

  // -- time

  #wall(): number {
    return WALL + this.#weather.t
  }

  /** 25 ms of everybody's work. */
  #step(): void {
    for (const sender of this.senders) if (sender.alive && sender.work()) this.#report(sender)
    this.#checkTruth()
    const owner = this.#owner
    if (!owner?.alive) return
    if (owner.wakeAt !== null && owner.wakeAt <= this.#weather.t) this.#tell(owner, { on: 'tick' })
    for (const lane of LANES) {
      const orders = this.#stream.deliver(lane, wanted(owner.shard, lane, 'look', this.#weather.t), this.#weather.t)
      if (orders.length > 0) this.#tell(owner, { on: 'ordersArrived', orders })
    }
  }

  #checkTruth(): void {
    const open = new Map<string, number>()
    for (const sender of this.senders)
      for (const { ip, site, sessions } of sender.sessions()) open.set(`${ip} ${site}`, (open.get(`${ip} ${site}`) ?? 0) + sessions)
    for (const [key, sessions] of open) {
      this.most = Math.max(this.most, sessions)
      if (sessions > this.#options.sessions) this.broken.push(`S4 at ${this.#weather.t}: ${sessions} sessions at ${key}, ${this.#options.sessions} allowed`)
    }
  }
}
