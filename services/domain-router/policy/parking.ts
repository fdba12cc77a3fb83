import { rfc3339 } from '../../../protocol/duration.ts'
import { type EpochMs, LANES, REPLY_CLASSES, type ReplyClass } from '../../../protocol/words.ts'
import { type Moment, type Shard, type Site, waitingOrders } from '../state.ts'
import type { Say } from './messages.ts'
import { HELD_AFTER_OVERFLOW, HELD_MOST, OVERFLOW_REST_MS, PARK_AT_MOST_MS, REST_PARK_MS } from './numbers.ts'
import { type Group, takeOut, type Waiting } from './queue.ts'
import { groupWait } from './waits.ts'

/** Orders whose site rests for longer than 2 s wait in the stream, not here: they would fill the consumer's window (design §6 "Rest"). */
export function parkResting(shard: Shard, site: Site, at: Moment): Say[] {
  const says: Say[] = []
  for (const lane of LANES) {
    for (const group of [...site.queue[lane].values()]) {
      const wait = groupWait(shard, site, group, at)
      // The end of a silence is sure and near: a way through the schedule and back would take as long.
      if (wait === null || wait.until - at.now <= REST_PARK_MS || wait.because === 'sender-silent') continue
      says.push(...parkGroup(site, group, group.waiting.length, wait.until, wait.because, at))
    }
  }
  return says
}

/** Orders past their deadline go to the scheduler, which writes `expired` (S7: at every stage). */
export function parkExpired(site: Site, at: Moment): Say[] {
  return takeOut(site.queue, ({ held }) => held.order.deadline <= at.now).map(({ held }) => ({ say: 'park', held, at: null, because: 'deadline' }))
}

/** Orders of a campaign that was paused or cancelled go to the scheduler, which keeps or ends them. */
export function parkCampaign(site: Site, tenant: string, campaign: string, because: ReplyClass): Say[] {
  return takeOut(site.queue, ({ held }) => held.order.tenant === tenant && held.order.campaign === campaign).map(({ held }) => ({
    say: 'park',
    held,
    at: null,
    because,
  }))
}

/** Everything goes back: another router shall have the shard, and should not wait for ack_wait. */
export function parkAll(site: Site): Say[] {
  return takeOut(site.queue, () => true).map(({ held }) => ({ say: 'park', held, at: null, because: 'resting' }))
}

/**
 * A heap of orders that their site cannot take must not keep others from coming in: beyond `HELD_MOST` of a lane the newest of the largest heap go
 * back to the schedule for a while.
 */
export function parkOverflow(shard: Shard, at: Moment): Say[] {
  const says: Say[] = []
  for (const lane of LANES) {
    let over = waitingOrders(shard, lane)
    if (over <= HELD_MOST) continue
    over -= HELD_AFTER_OVERFLOW
    const heaps = [...shard.awake].flatMap((site) => [...site.queue[lane].values()].map((group) => ({ site, group })))
    heaps.sort((a, b) => b.group.waiting.length - a.group.waiting.length)
    for (const { site, group } of heaps) {
      if (over <= 0) break
      const count = Math.min(over, Math.ceil(group.waiting.length / 2))
      over -= count
      says.push(...parkGroup(site, group, count, at.now + OVERFLOW_REST_MS, 'site-busy', at))
    }
  }
  return says
}

/** The newest `count` of a group, due a little apart so that they do not come back as one heap. */
function parkGroup(site: Site, group: Group, count: number, until: EpochMs, because: string, at: Moment): Say[] {
  const from = group.waiting.length - count
  const newest = new Set<Waiting>(group.waiting.slice(from))
  const taken = takeOut(site.queue, (waiting) => newest.has(waiting))
  const due = Math.min(until, at.now + PARK_AT_MOST_MS)
  const spread = (due - at.now) / 10
  // Nobody waits here any more, but people and the scheduler are still told why those in the schedule do (S7).
  site.restsUntil = Math.max(site.restsUntil, due + spread)
  return [
    { say: 'event', event: { event: 'parked', site: site.site, pool: group.pool, because, until: rfc3339(until), orders: taken.length } },
    ...taken.map(({ held }): Say => {
      // A rest may end late, never before the deadline is looked at.
      const when = Math.max(at.now, Math.min(held.order.deadline, Math.round(due + spread * at.dice())))
      return { say: 'park', held, at: when, because: replyClassOf(because) }
    }),
  ]
}

function replyClassOf(because: string): ReplyClass {
  return (REPLY_CLASSES as readonly string[]).includes(because) ? (because as ReplyClass) : 'resting'
}
