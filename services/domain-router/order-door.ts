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

/**
 * The two consumers of a shard, which the server keeps in its memory. Decodes once, here; what is no order goes aside with its reason (style 8).
 *
 * A server that starts again has forgotten who was given what: it brings everything that is not acked as if for the first time. Its holder may live and have
 * been cut off by the same restart, so what was here before is left alone, as it would have been: whoever has it says +WPI, and what nobody keeps alive comes
 * once more after ack_wait. Acks and +WPI name the order, not the delivery, and hold for the new consumer too.
 */
export async function openOrderDoor(options: OrderDoorOptions): Promise<OrderDoor> {
  const { bus, shard, maxAckPending, onOrders } = options
  let arrived: HeldOrder[] = []
  let soon: NodeJS.Immediate | null = null
  const tell = () => {
    const orders = arrived
    arrived = []
    soon = null
    onOrders(orders) // also when nothing of it was new: what is wanted was used up
  }
  const hear = (delivery: Delivery, upTo: UpTo) => {
    const known = delivery.deliveries === 1 && delivery.seq <= upTo.seq
    upTo.seq = Math.max(upTo.seq, delivery.seq)
    soon ??= setImmediate(tell)
    if (known) return
    const order = readOrder(delivery.body)
    if (order === null) return void setAside(delivery, options)
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
      state: 'memory' as const,
    }
    const upTo: UpTo = { seq: 0 }
    pullers.set(lane, await bus.pull(spec, (delivery) => hear(delivery, upTo)))
  }
  return {
    want: (lane, count) => pullers.get(lane)?.want(count),
    async [Symbol.asyncDispose]() {
      await Promise.all([...pullers.values()].map((puller) => puller[Symbol.asyncDispose]()))
      if (soon !== null) clearImmediate(soon)
      tell() // what came in this very turn
    },
  }
}

/** The newest order that a lane's consumer has brought. */
interface UpTo {
  seq: number
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
