import { ORDER_ACK_WAIT_MS, WORKING_EVERY_MS } from '../../../protocol/streams.ts'
import type { MonoMs } from '../../../protocol/words.ts'
import { GRANT_TIMEOUT_MS } from './numbers.ts'
import type { Waiting } from './queue.ts'

/** A sender's event loop and a router's may be late together by this much. */
const LATE_MS = 1_000

/**
 * A third of ack_wait after the last sign of life another is due at the latest; true = say it now.
 * Signs of life go by the clock, so that all orders of a shard have theirs in one moment: the server writes the consumer's state once for all of them, and
 * an order's age at a turn of the clock would have it written at every look.
 */
export function keptAlive(waiting: Waiting, mono: MonoMs): boolean {
  const everyMs = WORKING_EVERY_MS[waiting.held.order.lane]
  return touched(waiting, mono, Math.floor(mono / everyMs) > Math.floor(waiting.touchedAt / everyMs))
}

/** On its way to a sender an order needs time: its sender's first sign of life may come a third of ack_wait after a grant that took a second. */
export function keptAliveForGrant(waiting: Waiting, mono: MonoMs): boolean {
  const { lane } = waiting.held.order
  const untilTheSenders = GRANT_TIMEOUT_MS + WORKING_EVERY_MS[lane] + LATE_MS
  return touched(waiting, mono, mono - waiting.touchedAt + untilTheSenders > ORDER_ACK_WAIT_MS[lane])
}

function touched(waiting: Waiting, mono: MonoMs, isDue: boolean): boolean {
  if (isDue) waiting.touchedAt = mono
  return isDue
}
