import type { Lane, MonoMs } from '../../../protocol/words.ts'
import { type Shard, waitingOrders } from '../state.ts'
import { HELD_MOST, QUEUE_AHEAD_S } from './numbers.ts'
import { hasRoomToSpare } from './roster.ts'

/** What is taken before anybody knows how fast the shard drains. */
const LEAST = 32
/** … while no sender has room that nobody waits for: 32 of each shard of a tail were a thousand sites that waited here, kept alive and told of, for seconds. */
const LEAST_WITHOUT_ROOM = 4
const MOST = 500
/** While what waits cannot be placed: so many more at each look, since what comes behind it may be for a site that can. */
const TRICKLE = 16
/**
 * No sender has room that nobody waits for: then what comes behind cannot be placed either, unless for a lease that is held already. Each order here is kept alive, its site asked
 * about and told of: ten thousand sites that waited for room cost more than their mail.
 */
const TRICKLE_WITHOUT_ROOM = 1

/**
 * How many more orders to take from the stream: what can be placed within 2 s. Asked when orders came or went (`now`), and at each look (`look`), which
 * is the only time that a shard which cannot place what it holds takes anything.
 */
export function wanted(shard: Shard, lane: Lane, when: 'now' | 'look', mono: MonoMs): number {
  const waiting = waitingOrders(shard, lane)
  if (shard.epoch === 0 || waiting >= HELD_MOST) return 0
  const spare = hasRoomToSpare(shard.roster, shard.holders, mono)
  const ahead = Math.min(MOST, Math.max(spare ? LEAST : LEAST_WITHOUT_ROOM, Math.ceil((QUEUE_AHEAD_S * shard.perS) / Math.max(1, shard.orderSize[lane]))))
  // As orders come and go half of it is asked for at once: one by one each would be a pull, and a question to the ip-manager, of its own.
  if (waiting < (when === 'now' ? ahead / 2 : ahead)) return ahead - waiting
  if (when === 'now') return 0
  return spare ? TRICKLE : TRICKLE_WITHOUT_ROOM
}
