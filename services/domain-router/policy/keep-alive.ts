import type { MonoMs } from '../../../protocol/words.ts'
import { ACK_WAIT_MS } from './numbers.ts'
import type { Waiting } from './queue.ts'

/** A third of ack_wait after the last sign of life another is due; true = say it now. */
export function keptAlive(waiting: Waiting, mono: MonoMs): boolean {
  return touched(waiting, mono, 3)
}

/** On its way to a sender an order needs time: its sender's first sign of life may come a third of ack_wait after a grant that took a second. */
export function keptAliveForGrant(waiting: Waiting, mono: MonoMs): boolean {
  return touched(waiting, mono, 8)
}

function touched(waiting: Waiting, mono: MonoMs, part: number): boolean {
  if (mono - waiting.touchedAt < ACK_WAIT_MS[waiting.held.order.lane] / part) return false
  waiting.touchedAt = mono
  return true
}
