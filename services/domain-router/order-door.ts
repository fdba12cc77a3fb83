import { type HeldOrder, readOrder } from '../../protocol/messages/mail.ts'
import { CONSUMERS, ORDER_ACK_WAIT_MS, STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { type EpochMs, LANES, type Lane } from '../../protocol/words.ts'
import type { Bus, Delivery, Puller } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'

/** An order nobody can read is looked at again after so long, perhaps by a newer version. */
const UNREADABLE_MS = 3_600_000

export interface OrderDoorOptions {
  readonly bus: Bus
  readonly shard: string
  readonly maxAckPending: number
  readonly now: () => EpochMs
  readonly log: Log
  /** orders that came within one turn, together */
  readonly onOrders: (orders: readonly HeldOrder[]) => void
}

export interface OrderDoor extends AsyncDisposable {
  /** take at most so many more */
  want(lane: Lane, count: number): void
}

/** The two consumers of a shard. Decodes once, here; what is no order goes aside with its reason (style 8). */
export async function openOrderDoor(options: OrderDoorOptions): Promise<OrderDoor> {
  const { bus, shard, maxAckPending, onOrders } = options
  let arrived: HeldOrder[] = []
  const tell = () => {
    const orders = arrived
    arrived = []
    if (orders.length > 0) onOrders(orders)
  }
  const hear = (delivery: Delivery) => {
    const order = readOrder(delivery.body)
    if (order === null) return void setAside(delivery, options)
    if (arrived.length === 0) setImmediate(tell)
    arrived.push({ order, seq: delivery.seq, ackSubject: delivery.ackSubject })
  }
  const pullers = new Map<Lane, Puller>()
  for (const lane of LANES) {
    const spec = {
      stream: STREAM.mail,
      durable: CONSUMERS.orders(shard, lane),
      filter: wildcard('order', { shard, lane }),
      ackWaitMs: ORDER_ACK_WAIT_MS[lane],
      maxAckPending,
    }
    pullers.set(lane, await bus.pull(spec, hear))
  }
  return {
    want: (lane, count) => pullers.get(lane)?.want(count),
    async [Symbol.asyncDispose]() {
      await Promise.all([...pullers.values()].map((puller) => puller[Symbol.asyncDispose]()))
      tell() // what came in this very turn
    },
  }
}

async function setAside({ seq, body, ackSubject, subject: from }: Delivery, { bus, shard, now, log }: OrderDoorOptions): Promise<void> {
  log.error('order-unreadable', { order: seq, from, bytes: body.length, againAfterMs: UNREADABLE_MS })
  try {
    const stored = await bus.store(subject('laterRest', { shard, site: 'unreadable', order: seq }), body, { at: now() + UNREADABLE_MS, target: from })
    if (stored.kind === 'stored') bus.ack(ackSubject)
  } catch (error) {
    if (!(error instanceof Infrastructure)) throw error
    log.warn('order-not-parked', { order: seq, because: error.message })
  }
}
