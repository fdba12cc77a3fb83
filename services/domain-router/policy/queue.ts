import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import { type EpochMs, LANES, type Lane, type MonoMs } from '../../../protocol/words.ts'

/** An order that waits here: kept alive by us, not yet handed to a sender. */
export interface Waiting {
  held: HeldOrder
  /** last +WPI, or its arrival */
  touchedAt: MonoMs
}

/** Orders that can be placed alike: same pool, same binding source, first tries or retries, same From domain. */
export interface Group {
  readonly key: string
  readonly pool: string
  /** the only source that may take them (a greylist remembers it); null = any of the pool */
  readonly stickIp: string | null
  readonly retry: boolean
  /** domain of the From, which may rest here by itself */
  readonly from: string | null
  /** oldest first */
  readonly waiting: Waiting[]
}

export type Queue = Readonly<Record<Lane, Map<string, Group>>>

export function emptyQueue(): Queue {
  return { urgent: new Map(), bulk: new Map() }
}

export function enqueue(queue: Queue, waiting: Waiting, now: EpochMs): void {
  const { order } = waiting.held
  const stickIp = order.stick && order.stick.hardUntil > now ? order.stick.ip : null
  const retry = order.attempt > 0
  const from = order.from ?? null
  const key = `${order.pool}|${stickIp ?? ''}|${retry}|${from ?? ''}`
  const group = queue[order.lane].get(key)
  if (group === undefined) queue[order.lane].set(key, { key, pool: order.pool, stickIp, retry, from, waiting: [waiting] })
  else insert(group.waiting, waiting)
}

/** By sequence: an order that a sender refused goes back to where it stood. */
function insert(list: Waiting[], waiting: Waiting): void {
  let at = list.length
  while (at > 0 && (list[at - 1] as Waiting).held.seq > waiting.held.seq) at--
  list.splice(at, 0, waiting)
}

/** Takes the group's oldest order. */
export function takeOldest(queue: Queue, lane: Lane, group: Group): Waiting | undefined {
  const waiting = group.waiting.shift()
  if (group.waiting.length === 0) queue[lane].delete(group.key)
  return waiting
}

/** Takes out every order that `leaves`. */
export function takeOut(queue: Queue, leaves: (waiting: Waiting, group: Group) => boolean): Waiting[] {
  const out: Waiting[] = []
  for (const lane of LANES) {
    for (const group of queue[lane].values()) {
      let kept = 0
      for (const waiting of group.waiting) {
        if (leaves(waiting, group)) out.push(waiting)
        else group.waiting[kept++] = waiting
      }
      group.waiting.length = kept
      if (kept === 0) queue[lane].delete(group.key)
    }
  }
  return out
}

export function* everyWaiting(queue: Queue): Iterable<Waiting> {
  for (const lane of LANES) for (const group of queue[lane].values()) yield* group.waiting
}

export function countOrders(queue: Queue, lane: Lane): number {
  let orders = 0
  for (const group of queue[lane].values()) orders += group.waiting.length
  return orders
}

export function countRecipients(queue: Queue, lane: Lane, pool?: string): number {
  let recipients = 0
  for (const group of queue[lane].values()) {
    if (pool !== undefined && group.pool !== pool) continue
    for (const { held } of group.waiting) recipients += held.order.count
  }
  return recipients
}

/** Pools somebody waits for. */
export function poolsOf(queue: Queue): Set<string> {
  const pools = new Set<string>()
  for (const lane of LANES) for (const group of queue[lane].values()) pools.add(group.pool)
  return pools
}
