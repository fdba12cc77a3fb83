import { encode, encodeJson } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import { bitsOf } from '../../protocol/mask.ts'
import { batchSeqOf, carried, type HeldOrder, type Order, orderId, readBatch } from '../../protocol/messages/mail.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import type { RetryPolicy } from '../../protocol/retry.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus, Stored } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import { claimBatch } from './claims.ts'
import type { Journal } from './journal.ts'
import { Pace } from './pace.ts'
import { foundWithoutReply, outcomeOf } from './policy/attempt.ts'
import { endOf, type LetGo, openWork, type Work } from './state.ts'

/** Orders that ended here lately: a copy that comes back since its ack was lost is acked again, not worked on again. */
const ENDED_REMEMBERED = 20_000
/** A retry due sooner than this goes to `due` at once: a schedule would fire no earlier. */
const SCHEDULE_FROM_MS = 200

export interface OrdersOptions {
  readonly bus: Bus
  readonly sender: string
  readonly journal: Journal
  readonly isAlive: (sender: string) => boolean
  /** is the campaign paused or cancelling? */
  readonly isHeld: (held: HeldOrder) => boolean
  readonly policy: () => RetryPolicy
  readonly clock: Clock
  readonly dice: () => number
  readonly log: Log
}

/** The life of an order in this sender: claimed → worked on → one retry order or none → acked. Durable first, then the ack. */
export class Orders {
  readonly #ended = new Set<number>()
  readonly #open = new Set<number>()
  readonly #options: OrdersOptions

  constructor(options: OrdersOptions) {
    this.#options = options
  }

  /** Claims the order and fetches its batch; null when there is nothing to do here (done, elsewhere, gone). */
  async open(held: HeldOrder): Promise<Work | null> {
    const { bus, sender, isAlive, policy, clock, dice, log } = this.#options
    const id = orderId(held)
    const names = { campaign: `${held.order.tenant}/${held.order.campaign}`, batch: batchSeqOf(held), attempt: held.order.attempt, order: id }
    if (this.#ended.has(held.seq)) {
      bus.ack(held.ackSubject)
      return null
    }
    if (this.#options.isHeld(held)) {
      await this.giveBack(held)
      return null
    }
    try {
      const claimed = await claimBatch(held, { bus, sender, isAlive, holds: (order) => this.#open.has(order) })
      if (claimed.kind === 'elsewhere') {
        log.info('order elsewhere', { ...names, holder: claimed.holder })
        return null
      }
      if (claimed.kind === 'drop') {
        log.info('order dropped', { ...names, because: claimed.because })
        this.#acked(held)
        return null
      }
      const message = await bus.fetchSeq(STREAM.mail, batchSeqOf(held))
      if (message === null) {
        // Everybody in it has an outcome already; only the ack was lost.
        log.info('order dropped', { ...names, because: 'batch-settled' })
        this.#acked(held)
        return null
      }
      const batch = readBatch(message.body)
      if (batch === null) {
        log.error('batch unreadable', { ...names, because: 'not a batch that this version can read; parked until its deadline, see hato doctor' })
        await this.#park(held, claimed.claimSeq)
        return null
      }
      if (claimed.prior.length > 0 || claimed.maybe.some((byte) => byte > 0)) log.info('batch taken over', { ...names, prior: claimed.prior.length })
      this.#open.add(id)
      return openWork({
        held,
        batchSeq: batchSeqOf(held),
        batch,
        claimSeq: claimed.claimSeq,
        maybe: claimed.maybe,
        prior: claimed.prior,
        now: clock.now(),
        dice,
        policy: policy(),
        ratePace: held.order.rate === undefined ? null : new Pace(held.order.rate),
      })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      // Not known whether we hold it: nothing is sent, and the order comes back when nobody says +WPI for it.
      log.warn('claim failed', { ...names, error: error.message })
      return null
    }
  }

  /** Outcomes durable → the one retry order → ack (design §6 "Order of things"). A lost work is left without a word. */
  async finish(work: Work, letGo: LetGo): Promise<void> {
    const { bus, journal, log } = this.#options
    const { held, batch, batchSeq } = work
    const names = { campaign: `${batch.tenant}/${batch.campaign}`, batch: batchSeq, attempt: held.order.attempt }
    try {
      if ((await journal.settled(work)) === 'lost') {
        log.warn('claim lost', names)
        return
      }
      const ending = endOf(work, letGo)
      if (ending.kind === 'later') {
        const on = subject('laterRetry', { tenant: batch.tenant, campaign: batch.campaign, batch: batchSeq })
        const due = subject('due', { lane: held.order.lane })
        const inMs = ending.at - this.#options.clock.now()
        const body = encode(ending.order)
        await this.#surely(() => (inMs < SCHEDULE_FROM_MS ? bus.store(due, body) : bus.store(on, body, { at: ending.at, target: due })))
        log.info('retry ordered', { ...names, count: ending.order.count, because: ending.order.because ?? null, inMs: Math.max(0, Math.round(inMs)) })
      } else await this.#surely(async () => bus.remove(STREAM.mail, batchSeq))
      this.#acked(held)
    } finally {
      this.#open.delete(orderId(held))
    }
  }

  /** An order nobody has begun goes back to the scheduler as it is, then its ack. */
  async giveBack(held: HeldOrder): Promise<void> {
    const { bus } = this.#options
    await this.#surely(() => bus.store(subject('due', { lane: held.order.lane }), encode(carried(held))))
    this.#acked(held)
  }

  #acked(held: HeldOrder): void {
    this.#options.bus.ack(held.ackSubject)
    this.#ended.add(held.seq)
    if (this.#ended.size > ENDED_REMEMBERED)
      for (const seq of this.#ended) {
        this.#ended.delete(seq)
        break
      }
  }

  /** Nobody can read the batch: its recipients are told of as deferred, by number, and the order waits for a person until its deadline. */
  async #park(held: HeldOrder, claimSeq: number): Promise<void> {
    const { bus, clock } = this.#options
    const { order } = held
    const names = { tenant: order.tenant, campaign: order.campaign, batch: batchSeqOf(held) }
    const because = foundWithoutReply('deferred', 'protocol', 'us', `batch ${names.batch} cannot be read`)
    const outcomes = bitsOf(order.mask).map((n) => ({
      ...outcomeOf({ n, ref: null, rcpt: '', ip: '', site: order.site }, because),
      until: rfc3339(order.deadline),
    }))
    const chunk: OutcomeChunk = { v: 1, ...names, attempt: order.attempt, at: rfc3339(clock.now()), outcomes }
    await this.#surely(() => bus.store(subject('outcome', names), encodeJson(chunk), { expect: { seq: claimSeq, on: subject('claim', names) } }))
    const parked: Order = { ...carried(held), attempt: order.attempt + 1, parked: true, because: 'protocol' }
    await this.#surely(() => bus.store(subject('laterRetry', names), encode(parked), { at: order.deadline, target: subject('due', { lane: order.lane }) }))
    this.#acked(held)
  }

  /** Repeats until the server has it. A repeated retry order is harmless: its twin is refused at the claim. */
  async #surely(write: () => Promise<Stored | boolean>): Promise<void> {
    for (let paceMs: number; ; await new Promise((resolve) => setTimeout(resolve, paceMs))) {
      try {
        const written = await write()
        if (typeof written === 'boolean' || written.kind === 'stored') return
        this.#options.log.error('store refused', { code: written.code, message: written.message })
        paceMs = RETRY_PACE_MS.unavailable
      } catch (error) {
        if (!(error instanceof Infrastructure) || error.code === 'closed') throw error
        paceMs = RETRY_PACE_MS[error.code]
      }
    }
  }
}
