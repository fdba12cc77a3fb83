import type { EpochMs } from '../../../protocol/words.ts'
import { Ring } from './ring.ts'

/** delivery.md §8; Gmail on 2020-12-15 said 5.1.1 for valid users for 6 h 41 min. */
export const BRAKE = {
  /** unknown users above this share of the last … */
  share: 0.1,
  /** … results, and … */
  window: 200,
  /** … so many times their usual share */
  times: 3,
  /** with fewer results than this a share says nothing */
  least: 20,
  /** so many unknown users can meet anywhere by chance */
  few: 2,
  /** results on either side of a verdict that it is judged by */
  around: 100,
  /** the usual share forgets slowly: a week of a small site, minutes of a large one */
  memory: 5_000,
} as const

export interface Pace {
  /** a verdict with few results around it is believed after so long … */
  readonly settleMs: number
  /** … and one that stands among too many of its like is held after so long */
  readonly holdMs: number
}

export interface Share {
  readonly unknown: number
  readonly of: number
  readonly usual: number
}

/**
 * How far a site's "unknown user" may be believed. Pure memory of its results; time comes in.
 *
 * A verdict is written only where the results around it, before and after, are those of a site that is sane; so what came just before the brake was
 * pulled, in the same run of failures, is never written. While the brake is pulled every verdict is held.
 */
export class SiteBrake {
  readonly results: Ring
  usual: number
  usualOf: number
  /** since when verdicts are held here */
  pulledAt: EpochMs | null

  constructor(known: { readonly results: Ring; readonly usual: number; readonly usualOf: number; readonly pulledAt: EpochMs | null } | null = null) {
    this.results = known?.results ?? new Ring()
    this.usual = known?.usual ?? 0
    this.usualOf = known?.usualOf ?? 0
    this.pulledAt = known?.pulledAt ?? null
  }

  /** Counts a result; tells when the brake is pulled or let go by it. */
  add(isUnknown: boolean, now: EpochMs): 'pulled' | 'released' | null {
    this.results.add(isUnknown)
    // What leaves the window becomes the usual, unless it may be part of what the brake was pulled for.
    const left = this.results.total - 1 - BRAKE.window
    if (left >= 0 && this.pulledAt === null) {
      this.usualOf = Math.min(this.usualOf + 1, BRAKE.memory)
      this.usual += ((this.results.has(left) ? 1 : 0) - this.usual) / this.usualOf
    }
    const over = this.#isOver()
    if (over === (this.pulledAt !== null)) return null
    this.pulledAt = over ? now : null
    return over ? 'pulled' : 'released'
  }

  get share(): Share {
    const { ones, of } = this.results.last(BRAKE.window)
    return { unknown: ones, of, usual: this.usual }
  }

  /** What becomes of the verdict that result `index` was, heard at `at`. */
  decide(index: number, at: EpochMs, now: EpochMs, pace: Pace): 'write' | 'hold' | 'wait' {
    if (this.pulledAt !== null) return 'hold'
    const later = this.results.total - index - 1
    // Everything the brake looks at came after it, and it was not pulled.
    if (later >= BRAKE.window) return 'write'
    const { ones, of } = this.results.among(index - BRAKE.around, index + BRAKE.around + 1)
    const sane = ones <= BRAKE.few || (of >= BRAKE.least && ones <= of * this.#limit())
    if (!sane) return now - at >= pace.holdMs ? 'hold' : 'wait'
    if (later >= BRAKE.around) return 'write'
    const tookOthers = this.results.among(index + 1, this.results.total).ones < later
    return now - at >= (tookOthers ? pace.settleMs / 10 : pace.settleMs) ? 'write' : 'wait'
  }

  #isOver(): boolean {
    const { unknown, of } = this.share
    return of >= BRAKE.least && unknown > BRAKE.few && unknown > of * this.#limit()
  }

  #limit(): number {
    return Math.max(BRAKE.share, BRAKE.times * this.usual)
  }
}
