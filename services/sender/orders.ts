import { encode, encodeJson } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import { bitsOf } from '../../protocol/mask.ts'
import { batchSeqOf, carried, type HeldOrder, type Order, orderId, readBatch } from '../../protocol/messages/mail.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import type { RetryPolicy } from '../../protocol/retry.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { EpochMs } from '../../protocol/words.ts'
import type { Bus, Stored } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure, isStale, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import { restOrder } from '../runtime/retry-order.ts'
import { ClaimPen } from './claim-pen.ts'
import { claimBatch, disclaim } from './claims.ts'
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
  readonly isAlive: (sender: string) => Promise<boolean>
  /** is the campaign paused or cancelling? */
  readonly isHeld: (held: HeldOrder) => boolean
  readonly policy: () => RetryPolicy
  readonly clock: Clock
  readonly dice: () => number
  readonly log: Log
}

/** The life of an order in this sender: claimed → worked on → one retry order or none → acked. Durable first, then the ack. */
export class Orders {
  /** by sequence: copies that were acked */
  readonly #ended = new Set<number>()
  /** attempts that ended here, whatever copy of their order comes back */
  readonly #over = new Set<string>()
  /** attempts being claimed, worked on or ended here now */
  readonly #open = new Set<string>()
  readonly #options: OrdersOptions
  readonly #pen: ClaimPen

  constructor(options: OrdersOptions) {
    this.#options = options
    this.#pen = new ClaimPen(options.bus)
  }

  /** Claims the order and fetches its batch; null when there is nothing to do here (done, elsewhere, gone). */
  async open(held: HeldOrder): Promise<Work | null> {
    const { bus, log } = this.#options
    const attempt = attemptOf(held)
    if (this.#ended.has(held.seq) || this.#over.has(attempt)) {
      bus.ack(held.ackSubject)
      return null
    }
    if (this.#open.has(attempt)) {
      log.info('order elsewhere', { ...namesOf(held), holder: this.#options.sender })
      return null
    }
    if (this.#options.isHeld(held)) {
      await this.giveBack(held)
      return null
    }
    this.#open.add(attempt)
    let work: Work | null = null
    try {
      work = await this.#claimed(held)
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      // Not known whether we hold it: nothing is sent, and the order comes back when nobody says +WPI for it.
      log.warn('claim failed', { ...namesOf(held), error: error.message })
      void this.#disclaim(held)
      return null
    }
    if (work === null) this.#open.delete(attempt)
    return work
  }

  async #claimed(held: HeldOrder): Promise<Work | null> {
    const { bus, sender, isAlive, policy, clock, dice, log } = this.#options
    const names = namesOf(held)
    const claimed = await claimBatch(held, { bus, pen: this.#pen, sender, isAlive })
    if (claimed.kind === 'elsewhere') {
      log.info('order elsewhere', { ...names, holder: claimed.holder })
      return null
    }
    if (claimed.kind === 'drop') {
      log.info('order dropped', { ...names, because: claimed.because })
      this.#acked(held)
      return null
    }
    const written = held.order.inline ?? (await bus.fetchSeq(STREAM.mail, batchSeqOf(held)))?.body
    if (written === undefined) {
      // Everybody in it has an outcome already; only the ack was lost.
      log.info('order dropped', { ...names, because: 'batch-settled' })
      this.#acked(held)
      return null
    }
    const batch = readBatch(written)
    if (batch === null) {
      log.error('batch unreadable', { ...names, because: 'not a batch that this version can read; parked until its deadline, see hato doctor' })
      await this.#park(held, claimed.claimSeq)
      return null
    }
    if (claimed.prior.length > 0 || claimed.maybe.some((byte) => byte > 0)) log.info('batch taken over', { ...names, prior: claimed.prior.length })
    const work = openWork({
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
    // The campaign may have been held while we claimed; whoever let go of its works then did not see this one.
    if (this.#options.isHeld(held)) work.letGo = { because: 'lease-end', notBefore: clock.now() }
    return work
  }

  async #disclaim(held: HeldOrder): Promise<void> {
    try {
      await this.#surely(() => disclaim(held, this.#options))
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error // our own connection is closed: our node key goes, and with it the claim's meaning
    } finally {
      this.#open.delete(attemptOf(held))
    }
  }

  /** Outcomes durable → the one retry order → ack (design §6 "Order of things"). A lost work is left without a word. */
  async finish(work: Work, letGo: LetGo): Promise<void> {
    const { bus, journal, log, clock } = this.#options
    const { held, batchSeq } = work
    try {
      if ((await journal.settled(work)) === 'lost') {
        log.warn('claim lost', namesOf(held))
        return
      }
      const ending = endOf(work, letGo)
      // A claim fences outcomes, not orders: who was stopped for long and has nothing left to journal must not order a retry of what another holds.
      if (ending.kind === 'later' && !(await this.#holdsClaim(work))) {
        log.warn('claim lost', namesOf(held))
        return
      }
      if (ending.kind === 'later') {
        const inMs = ending.at - clock.now()
        if (inMs >= SCHEDULE_FROM_MS) await this.#rest(held, ending.order, ending.at)
        else await this.#surely(() => bus.store(subject('due', { lane: held.order.lane }), encode(ending.order)))
        log.info('retry ordered', { ...namesOf(held), count: ending.order.count, because: ending.order.because ?? null, inMs: Math.max(0, Math.round(inMs)) })
      } else if (held.order.inline === undefined) await this.#surely(async () => bus.remove(STREAM.mail, batchSeq))
      this.#acked(held)
      remember(this.#over, attemptOf(held))
    } finally {
      this.#open.delete(attemptOf(held))
    }
  }

  async #holdsClaim({ held, batchSeq, claimSeq }: Work): Promise<boolean> {
    const { tenant, campaign } = held.order
    let last: number | null = null
    await this.#surely(async () => {
      last = (await this.#options.bus.readLast(STREAM.outcomes, subject('claim', { tenant, campaign, batch: batchSeq })))?.seq ?? null
      return true
    })
    return last === null || last === claimSeq
  }

  /** An order nobody has begun goes back to the scheduler as it is, then its ack. */
  async giveBack(held: HeldOrder): Promise<void> {
    const { bus } = this.#options
    await this.#surely(() => bus.store(subject('due', { lane: held.order.lane }), encode(carried(held))))
    this.#acked(held)
  }

  #acked(held: HeldOrder): void {
    this.#options.bus.ack(held.ackSubject)
    remember(this.#ended, held.seq)
  }

  async #rest(held: HeldOrder, order: Order, at: EpochMs): Promise<void> {
    await this.#surely(async () => {
      const stored = await restOrder(this.#options.bus, batchSeqOf(held), order, at)
      return stored === 'later-one-rests' || stored
    })
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
    let fenced = false
    await this.#surely(async () => {
      const stored = await bus.store(subject('outcome', names), encodeJson(chunk), { expect: { seq: claimSeq, on: subject('claim', names) } })
      fenced = stored.kind === 'refused' && isStale(stored)
      return fenced || stored
    })
    if (fenced) return // a later claim holds the batch
    const parked: Order = { ...carried(held), attempt: order.attempt + 1, parked: true, because: 'protocol' }
    await this.#rest(held, parked, order.deadline)
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

/** One attempt of one order, whatever copy of it. */
function attemptOf(held: HeldOrder): string {
  return `${orderId(held)} ${held.order.attempt}`
}

function namesOf(held: HeldOrder) {
  const { tenant, campaign, attempt } = held.order
  return { campaign: `${tenant}/${campaign}`, batch: batchSeqOf(held), attempt, order: orderId(held) }
}

function remember<T>(known: Set<T>, one: T): void {
  known.add(one)
  if (known.size <= ENDED_REMEMBERED) return
  const oldest = known.values().next()
  if (!oldest.done) known.delete(oldest.value)
}
