/** The stream of orders as a shard's two consumers give it: redelivery after ack_wait, +WPI, a window of unacked ones. */
import type { HeldOrder, Order } from '../../../protocol/messages/mail.ts'
import { ORDER_ACK_WAIT_MS } from '../../../protocol/streams.ts'
import type { Lane } from '../../../protocol/words.ts'
import { MAX_ACK_PENDING } from './numbers.ts'

/** The world's clock on the wall when its time is 0. */
export const WALL = Date.UTC(2026, 10, 24)

interface StreamOrder {
  readonly held: HeldOrder
  /** redelivered then; null = not delivered yet */
  due: number | null
  acked: boolean
}

export class OrderStream {
  readonly #orders: StreamOrder[] = []

  add(order: Partial<Order> & { site: string; pool: string }): number {
    const seq = this.#orders.length + 1
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
    this.#orders.push({ held: { order: full, seq, ackSubject: `ack.${seq}` }, due: null, acked: false })
    return full.batch
  }

  /** False when it was acked before. */
  ack(seq: number): boolean {
    const order = this.#of(seq)
    if (order.acked) return false
    order.acked = true
    return true
  }

  isAcked(seq: number): boolean {
    return this.#of(seq).acked
  }

  /** +WPI of an order that was delivered. */
  working(seq: number, now: number): void {
    const order = this.#of(seq)
    if (order.due !== null) order.due = now + ORDER_ACK_WAIT_MS[order.held.order.lane]
  }

  /** When a third of ack_wait is over (design §6). */
  wantsWorking(seq: number, now: number): boolean {
    const { due, held } = this.#of(seq)
    return due !== null && due - now < (ORDER_ACK_WAIT_MS[held.order.lane] * 2) / 3
  }

  /** Up to `want` orders of a lane that are new or whose ack_wait is over. */
  deliver(lane: Lane, want: number, now: number): HeldOrder[] {
    const live = this.#orders.filter(({ acked, held }) => !acked && held.order.lane === lane)
    const isPending = ({ due }: StreamOrder) => due !== null && due > now
    const room = Math.min(want, MAX_ACK_PENDING - live.filter(isPending).length)
    const arrived = live.filter((order) => !isPending(order)).slice(0, Math.max(0, room))
    for (const order of arrived) order.due = now + ORDER_ACK_WAIT_MS[lane]
    return arrived.map(({ held }) => held)
  }

  get open(): number {
    return this.#orders.filter(({ acked }) => !acked).length
  }

  #of(seq: number): StreamOrder {
    const order = this.#orders[seq - 1]
    if (order === undefined) throw new RangeError(`order ${seq}: the stream has ${this.#orders.length}`)
    return order
  }
}
