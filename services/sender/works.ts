import type { HeldOrder } from '../../protocol/messages/mail.ts'
import { orderId } from '../../protocol/messages/mail.ts'
import type { EpochMs } from '../../protocol/words.ts'
import type { Orders } from './orders.ts'
import { giveBack, type LetGo, take, type Work } from './state.ts'

/** A recipient whose turn it is. */
export interface Turn {
  readonly work: Work
  readonly n: number
}

/**
 * The orders under one lease, in order: queued → being claimed → worked on → finished, or given back as they came. What ends is told once, by its
 * sequence; `changed` says that something new can be taken or that something has gone.
 */
export class Works {
  readonly #queue: HeldOrder[] = []
  readonly #works = new Set<Work>()
  readonly #finishing = new Map<Work, Promise<void>>()
  #claiming: { readonly held: HeldOrder; readonly claimed: Promise<void> } | null = null
  /** orders on their way back to the scheduler */
  readonly #returning = new Set<Promise<void>>()
  /** set once the lease ends: nobody is taken any more, and what is left goes back so */
  #ending: LetGo | null = null
  readonly #orders: Orders
  readonly #wall: () => EpochMs
  readonly #ended: (seq: number) => void
  readonly #changed: () => void

  constructor(options: { orders: Orders; wall: () => EpochMs; ended: (seq: number) => void; changed: () => void }) {
    this.#orders = options.orders
    this.#wall = options.wall
    this.#ended = options.ended
    this.#changed = options.changed
  }

  get isEmpty(): boolean {
    return this.#works.size === 0 && this.#queue.length === 0 && this.#claiming === null && this.#returning.size === 0
  }
  /** recipients whose turn has not come */
  get queued(): number {
    let queued = 0
    for (const held of this.#queue) queued += held.order.count
    for (const work of this.#works) queued += work.open.size
    return queued
  }
  /** recipients that a worker is busy with */
  get taken(): number {
    let taken = 0
    for (const work of this.#works) taken += work.taken.size
    return taken
  }
  /** Is there an order to be claimed, or one that is being claimed now? */
  get hasUnclaimed(): boolean {
    return this.#queue.length > 0 || this.#claiming !== null
  }

  *held(): Iterable<HeldOrder> {
    yield* this.#queue
    if (this.#claiming) yield this.#claiming.held
    for (const work of this.#works) if (!work.lost) yield work.held
  }

  holds(id: number): boolean {
    for (const held of this.held()) if (orderId(held) === id) return true
    return false
  }

  add(orders: readonly HeldOrder[]): void {
    for (const held of orders) if (!this.holds(orderId(held))) this.#queue.push(held)
  }

  /** The next recipient, by preference one that `fits`. */
  take(fits: (domain: string) => boolean): Turn | null {
    const now = this.#wall()
    for (const work of this.#works) {
      if (work.lost) this.finishIfDone(work)
      if (work.lost || work.letGo) continue
      if (work.held.order.pauseAt !== undefined && work.held.order.pauseAt <= now) {
        this.letGo(work, { because: 'resting', notBefore: now })
        continue
      }
      const n = take(work, (n) => fits(domainOf(work.batch.recipients[n]?.address ?? '')))
      if (n !== null) return { work, n }
    }
    return null
  }

  back({ work, n }: Turn): void {
    giveBack(work, n)
  }

  /** One claim at a time: the next order becomes work. */
  async claimNext(): Promise<void> {
    if (this.#claiming === null) {
      const held = this.#queue.shift()
      if (!held) return
      const claimed = this.#claim(held).finally(() => {
        this.#claiming = null
        this.#changed()
      })
      this.#claiming = { held, claimed }
    }
    await this.#claiming.claimed
  }

  async #claim(held: HeldOrder): Promise<void> {
    const work = await this.#orders.open(held)
    if (work === null) return this.#ended(held.seq)
    this.#works.add(work)
    this.finishIfDone(work)
  }

  /** Nobody is taken any more. `forget`: another may have the queued orders already; they come again by themselves. */
  end(letGo: LetGo, orders: 'return' | 'forget'): void {
    this.#ending = letGo
    for (const held of this.#queue.splice(0)) if (orders === 'return') this.#giveBack(held)
    for (const work of this.#works) this.finishIfDone(work)
  }

  /** The rest of this campaign's mail goes back: it was paused or cancelled. */
  letGoOf({ tenant, campaign }: { tenant: string; campaign: string }): void {
    this.#letGoWhere(({ order }) => order.tenant === tenant && order.campaign === campaign, { because: 'lease-end', notBefore: this.#wall() })
  }

  letGoOfSender(from: string, letGo: LetGo): void {
    this.#letGoWhere(({ order }) => order.from === from, letGo)
  }

  #letGoWhere(isMeant: (held: HeldOrder) => boolean, letGo: LetGo): void {
    for (const [at, held] of [...this.#queue.entries()].reverse()) {
      if (!isMeant(held)) continue
      this.#queue.splice(at, 1)
      this.#giveBack(held)
    }
    for (const work of this.#works) if (isMeant(work.held)) this.letGo(work, letGo)
  }

  /** Nobody of this work is tried any more under this order. */
  letGo(work: Work, letGo: LetGo): void {
    work.letGo ??= letGo
    this.finishIfDone(work)
  }

  finishIfDone(work: Work): void {
    if (!this.#works.has(work) || this.#finishing.has(work)) return
    const stopped = this.#ending !== null || work.letGo !== null || work.lost
    if (work.taken.size > 0 || (work.open.size > 0 && !stopped)) return
    const letGo = work.letGo ?? this.#ending ?? { because: 'lease-end', notBefore: this.#wall() }
    const finishing = this.#orders.finish(work, letGo).finally(() => {
      this.#works.delete(work)
      this.#finishing.delete(work)
      this.#ended(work.held.seq)
    })
    this.#finishing.set(work, finishing)
  }

  /** What is under way now has come to its end. */
  async settle(): Promise<void> {
    await Promise.all([...this.#finishing.values(), ...this.#returning, this.#claiming?.claimed])
  }

  #giveBack(held: HeldOrder): void {
    const returning: Promise<void> = this.#orders.giveBack(held).finally(() => {
      this.#returning.delete(returning)
      this.#ended(held.seq)
    })
    this.#returning.add(returning)
  }
}

/** The part behind the last @, lower case. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
