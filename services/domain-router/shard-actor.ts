import { decode, encode } from '../../protocol/codec.ts'
import type { HeldOrder } from '../../protocol/messages/mail.ts'
import type { ErrorAnswer, IspControl, IspStatus } from '../../protocol/messages/ops.ts'
import type { Grant, Holdings, HoldingsAsk, Report, ReportAnswer } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import { LANES, type MonoMs } from '../../protocol/words.ts'
import type { Answer, Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure, InvariantBroken, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { AllowancePost } from './allowance-post.ts'
import { logDecision } from './events.ts'
import type { GrantPost } from './grant-post.ts'
import type { MemoryStore } from './memory-store.ts'
import { type OrderDoor, openOrderDoor } from './order-door.ts'
import { ParkingLot } from './parking-lot.ts'
import { violations } from './policy/figures.ts'
import type { ControlAnswer, Heard, Say } from './policy/messages.ts'
import { receive } from './policy/receive.ts'
import { wanted } from './policy/want.ts'
import type { RouterCounters } from './router-metrics.ts'
import type { Moment, Shard } from './state.ts'

const HOLDINGS_WITHIN_MS = 500

export interface ShardActorOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly maxAckPending: number
  readonly mayGrant: () => boolean
  readonly memory: MemoryStore
  readonly grants: GrantPost
  readonly allowances: AllowancePost
  readonly counters: RouterCounters
}

/** One owned shard between the bus and its decider: brings what was heard, does what is said. It chooses nothing. */
export class ShardActor implements AsyncDisposable {
  readonly shard: Shard
  readonly #options: ShardActorOptions
  readonly #lot: ParkingLot
  readonly #stack = new AsyncDisposableStack()
  #door: OrderDoor | null = null
  #timer: NodeJS.Timeout | undefined
  #wakeAt: MonoMs | null = null
  /** orders are to be asked for at the end of this turn */
  #want: 'now' | 'look' | null = null
  #saving: Promise<boolean> = Promise.resolve(true)
  #over = false

  constructor(shard: Shard, options: ShardActorOptions) {
    this.shard = shard
    this.#options = options
    this.#lot = new ParkingLot(options.bus, shard.name, options.log)
  }

  /** Reads the memory, asks the senders, opens the door for orders. Ends early when the shard is lost meanwhile. */
  async start(epoch: number): Promise<void> {
    const { bus, clock, log, maxAckPending, memory } = this.#options
    const known = await untilThere(
      () => memory.read(),
      () => this.#over,
    )
    if (this.#over) return
    this.tell({ on: 'gained', epoch, memory: known })
    const { name } = this.shard
    this.#stack.use(
      bus.serve(subject('report', { shard: name }), ({ body, reply }) => {
        const answer = this.report(decode<Report>(body))
        if (answer !== null) reply(encode(answer))
      }),
    )
    this.#stack.use(
      bus.serve(subject('siteStatus', { shard: name }), (call) => call.reply(encode(this.status(decode<{ site: string | null }>(call.body).site)))),
    )
    this.#stack.use(
      bus.serve(subject('siteControl', { shard: name }), async (call) => {
        const { site, control } = decode<{ site: string; control: IspControl }>(call.body)
        call.reply(encode(await this.control(site, control)))
      }),
    )
    const options = {
      bus,
      shard: name,
      maxAckPending,
      now: clock.now,
      log,
      onOrders: (orders: readonly HeldOrder[]) => void this.tell({ on: 'ordersArrived', orders }),
    }
    const door = await untilThere(
      () => openOrderDoor(options),
      () => this.#over,
    )
    if (door === null) return
    if (this.#over) return door[Symbol.asyncDispose]()
    this.#door = door
    this.#wantOrders('look')
  }

  /** Brings a message; what it answers is returned, everything else is done. */
  tell(heard: Heard): Say[] {
    if (this.#over) return []
    const { say, wakeAt } = receive(this.shard, heard, this.#moment())
    for (const said of say) this.#do(said)
    this.#wantSoon(heard.on === 'tick' ? 'look' : 'now')
    this.#wake(wakeAt)
    return say
  }

  #wake(at: MonoMs | null): void {
    if (at === this.#wakeAt || this.#over) return
    this.#wakeAt = at
    clearTimeout(this.#timer)
    if (at === null) return
    this.#timer = setTimeout(
      () => {
        this.#wakeAt = null
        this.#tick()
      },
      Math.max(0, at - this.#options.clock.mono()),
    )
  }

  status(site: string | null): IspStatus['sites'] {
    return this.tell({ on: 'statusAsked', site }).flatMap((said) => (said.say === 'answerStatus' ? said.sites : []))
  }

  /** Null: the shard is not ours (yet, or any more), and nothing was heard. */
  report(report: Report): ReportAnswer | null {
    return this.tell({ on: 'report', report }).find((said) => said.say === 'answerReport')?.answer ?? null
  }

  async control(site: string, control: IspControl): Promise<ControlAnswer | ErrorAnswer> {
    const answer = this.tell({ on: 'ispControl', site, control }).find((said) => said.say === 'answerControl')?.answer
    if (answer === undefined) return { error: { code: 'no-owner', message: `${site}: shard ${this.shard.name} is changing hands; ask again in a second` } }
    if ('ok' in answer && !(await this.#saving)) {
      return {
        error: { code: 'unavailable', message: `${site}: ${control.action} is in force but could not be stored; it ends with this router, say it again` },
      }
    }
    return answer
  }

  /** Another shall have the shard: what waits here goes back, the memory is saved. */
  async release(): Promise<void> {
    await this.#closeDoor()
    this.tell({ on: 'released' })
    this.#end()
    await this.#stack.disposeAsync()
    await Promise.all([this.#lot.empty(), this.#saving])
  }

  /** Lost without a word: what waits here comes to the new owner by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.tell({ on: 'lost' })
    this.#end()
    await this.#closeDoor()
    await this.#stack.disposeAsync()
  }

  async #closeDoor(): Promise<void> {
    const door = this.#door
    this.#door = null
    await door?.[Symbol.asyncDispose]()
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  #tick(): void {
    this.tell({ on: 'tick' })
    const broken = violations(this.shard, 'awake')
    if (broken.length > 0) throw new InvariantBroken('router', broken.join('; '))
  }

  #moment(): Moment {
    const { clock, mayGrant } = this.#options
    return { now: clock.now(), mono: clock.mono(), dice: Math.random, mayGrant: mayGrant() }
  }

  /** What is wanted is counted over all busy sites: once for all that came in one turn. */
  #wantSoon(when: 'now' | 'look'): void {
    if (this.#want === null) setImmediate(() => this.#wantOrders(this.#want ?? 'now'))
    if (this.#want !== 'look') this.#want = when
  }

  #wantOrders(when: 'now' | 'look'): void {
    this.#want = null
    if (this.#door === null || this.#over) return
    for (const lane of LANES) {
      const count = wanted(this.shard, lane, when, this.#options.clock.mono())
      if (count > 0 || when === 'look') this.#door.want(lane, count)
    }
  }

  #do(said: Say): void {
    const { bus, memory, log, counters } = this.#options
    switch (said.say) {
      case 'grant':
        return void this.#grant(said.sender, said.grant)
      case 'askHoldings':
        return void this.#askHoldings(said.sender, said.ask)
      case 'askAllowances':
        return void this.#askAllowances(said.ask)
      case 'touch':
        return bus.working(said.held.ackSubject)
      case 'park':
        return this.#lot.park(said)
      case 'drain':
        return bus.say(subject('drain', { shard: this.shard.name }), encode(said.drain))
      case 'save':
        this.#saving = memory.write(said.memory)
        void this.#saving.then((saved) => this.tell(saved ? { on: 'saved', holders: said.memory.holders } : { on: 'saveFailed' }))
        return
      case 'event':
        counters.count(said.event)
        return logDecision(log, this.shard.name, this.shard.epoch, said.event)
      case 'answerReport':
      case 'answerControl':
      case 'answerStatus':
        return // whoever asked reads it from what tell returns
    }
  }

  async #grant(sender: string, grant: Grant): Promise<void> {
    const { orders } = grant
    const lease = grant.lease.id
    const answer = await this.#options.grants.send(sender, grant)
    this.tell(answer === null ? { on: 'grantTimedOut', lease, orders } : { on: 'grantAnswered', lease, orders, answer })
  }

  async #askHoldings(sender: string, ask: HoldingsAsk): Promise<void> {
    const answer = await askWithin(this.#options.bus, subject('holdings', { sender }), encode(ask), HOLDINGS_WITHIN_MS)
    if (answer.kind === 'answer') this.tell({ on: 'holdingsAnswered', holdings: decode<Holdings>(answer.body) })
    else this.tell({ on: 'holdingsTimedOut', sender })
  }

  async #askAllowances(ask: Extract<Say, { say: 'askAllowances' }>['ask']): Promise<void> {
    const allowances = await this.#options.allowances.send(ask)
    // Without an answer the last one runs out; the next question comes within a second.
    if (allowances !== null) this.tell({ on: 'allowances', allowances, asked: ask.sites })
  }
}

/** A question that our own end overtook was perhaps heard, like any without an answer. */
export async function askWithin(bus: Bus, to: string, body: Uint8Array, timeoutMs: number): Promise<Answer> {
  try {
    return await bus.ask(to, body, { timeoutMs })
  } catch (error) {
    if (!(error instanceof Infrastructure)) throw error
    return { kind: 'timeout' }
  }
}

/** Repeats what the server could not do yet, at the pace of the trouble; null when nobody waits for it any more. */
export async function untilThere<T>(make: () => Promise<T>, gone: () => boolean): Promise<T | null> {
  while (!gone()) {
    try {
      return await make()
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      if (error.code === 'closed') return null // our own end
      const { promise, resolve } = Promise.withResolvers<void>()
      setTimeout(resolve, RETRY_PACE_MS[error.code])
      await promise
    }
  }
  return null
}
