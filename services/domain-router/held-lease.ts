import type { HeldOrder } from '../../protocol/messages/mail.ts'
import type { Lane, MonoMs } from '../../protocol/words.ts'
import type { Waiting } from './policy/queue.ts'

/** What a lease permits, as it must be counted (S4). */
export interface Numbers {
  readonly sessions: number
  readonly pacePerS: number
  readonly perAddress: number
  readonly connectsPerMinute: number
}
export const NOTHING: Numbers = { sessions: 0, pacePerS: 0, perAddress: 0, connectsPerMinute: 0 }

/**
 * A lease is, for the router, always in exactly one mode:
 *   asked   the grant is on its way; counts as held
 *   held    renewed at each report, takes orders
 *   fading  renewed while it has work, takes none: its sender stops, or an emptier one shall have it
 *   ending  not renewed; counts until the sender says `closed`, or until its time must be over and no session lingers
 */
export type LeaseMode = 'asked' | 'held' | 'fading' | 'ending'
const MAY_BECOME = { asked: ['held', 'ending'], held: ['fading', 'ending'], fading: ['held', 'ending'], ending: [] } as const satisfies Record<
  LeaseMode,
  readonly LeaseMode[]
>

export interface HeldLease {
  readonly id: string
  readonly sender: string
  readonly ip: string
  readonly site: string
  readonly pool: string
  mode: LeaseMode
  /** as last told to the sender */
  numbers: Numbers
  /** larger numbers that were told before and may still be in force, since the smaller ones may not have arrived */
  before: (Numbers & { readonly until: MonoMs })[]
  /** transactions it may still start under the ramp, as far as we know; null = no ramp */
  budget: number | null
  /** when the sender must have let go if it hears nothing more */
  mustEnd: MonoMs
  /** a grant without an answer yet, with the orders it carries */
  pending: { readonly orders: readonly Waiting[]; readonly before: Numbers | null; readonly askedAt: MonoMs } | null
  open: number
  lingering: number
  queued: number
  /** orders it holds, by sequence */
  readonly orders: Map<number, LentOrder>
  /** recipients it ends per second, smoothed */
  perS: number
  reportedAt: MonoMs
  busyAt: MonoMs
}

/** An order at a sender. */
export interface LentOrder {
  readonly count: number
  readonly lane: Lane
  /** it went out with a grant that nobody has answered yet */
  readonly unsure: boolean
  /** null: another owner handed it out */
  readonly held: HeldOrder | null
}

/** The only writer of a lease's mode. Returns false, and changes nothing, where the lease may not become that (it is already, or is past it). */
export function become(lease: HeldLease, mode: LeaseMode): boolean {
  if (!(MAY_BECOME[lease.mode] as readonly LeaseMode[]).includes(mode)) return false
  lease.mode = mode
  return true
}
