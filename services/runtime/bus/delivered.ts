import type { Msg } from '@nats-io/nats-core'
import { InvariantBroken } from '../errors.ts'

/** What the ack subject of a delivered message tells (ADR-15). */
export interface Delivered {
  readonly deliveries: number
  readonly seq: number
  readonly consumerSeq: number
  /** when the stream took it, milliseconds */
  readonly at: number
  /** messages behind it for this consumer */
  readonly pending: number
}

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<consumerSeq>.<ns>.<pending>`, or with `<domain>.<account>` before the stream and a random end. */
export function readDelivered(msg: Msg): Delivered {
  const parts = (msg.reply ?? '').split('.')
  const first = parts.length === 9 ? 4 : 6
  if (parts[0] !== '$JS' || parts[1] !== 'ACK' || parts.length < first + 5) throw new InvariantBroken('jetstream', `"${msg.reply}" is no ack subject`)
  return {
    deliveries: Number(parts[first]),
    seq: Number(parts[first + 1]),
    consumerSeq: Number(parts[first + 2]),
    at: Math.floor(Number(parts[first + 3]) / 1e6),
    pending: Number(parts[first + 4]),
  }
}
