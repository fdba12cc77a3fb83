import type { EpochMs, Lane } from '../../protocol/words.ts'
import type { Running, SiteQueue, WaitingBatch } from './campaigns.ts'
import { isLarge, sampleRoom } from './policy/sample.ts'

/** A batch whose turn it is, and where it goes. */
export interface Chosen {
  readonly running: Running
  readonly queue: SiteQueue
  readonly batch: WaitingBatch
  readonly lane: Lane
  readonly to: 'router' | 'due'
}

/** A campaign's queue at a site, in one pass of choosing. */
export interface Turn {
  readonly running: Running
  readonly queue: SiteQueue
  taken: number
  next: number | null
  /** recipients that may go before the sample's outcomes are in */
  sampleLeft: number
  readonly tenant: string
  readonly tenantWeight: number
  readonly campaign: string
  readonly weight: number
}

/** Recipients in the next batch of this turn, as far as the campaign itself goes; null = nothing may go now. */
export function nextOf({ running, queue, taken, sampleLeft }: Turn, now: EpochMs): number | null {
  const batch = queue.batches[taken]
  if (!batch || running.record.deadline <= now || sampleLeft <= 0) return null
  return running.record.rate !== null && running.rate.allowed < 1 ? null : batch.count
}

/** What choosing a batch uses up. */
export function charge(turn: Turn, count: number): void {
  turn.taken++
  turn.sampleLeft -= count
  if (turn.running.record.rate !== null) turn.running.rate.allowed -= count
}

/** How much of the campaign may go to the site before its sample there is in (policy/sample.ts). */
export function sampleLeft({ record, underWay }: Running, { site, sample, batches }: SiteQueue): number {
  if (!isLarge(record) || sample.open) return Number.POSITIVE_INFINITY
  const known = batches.reduce((sum, { count }) => sum + count, sample.released)
  return sampleRoom(sample, known, () => underWay.silentAt(site))
}
