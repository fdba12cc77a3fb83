import type { MonoMs } from '../../protocol/words.ts'

/** When a transaction may begin. It moves with the pace: read it again after each wait. */
export interface Slot {
  readonly at: MonoMs
}

/**
 * Spaces transactions: at most `perS` a second, no bursts beyond 50 ms' worth. Each caller has a slot of its own, so sessions of one lease share one pace.
 *
 * A change moves the slots that are taken as well: a lease may be told a very small number for a quarter of a second, while the router shares a pace out
 * anew, and nobody shall wait for a slot of that moment for an hour.
 */
export class Pace {
  #perS: number
  #nextAt: MonoMs = 0
  #ahead: { at: MonoMs }[] = []
  static readonly #BURST_MS = 50

  constructor(perS: number) {
    this.#perS = perS
  }

  change(perS: number, now: MonoMs): void {
    const factor = this.#perS / perS
    const moved = (at: MonoMs) => now + Math.max(0, at - now) * (Number.isFinite(factor) ? factor : 0)
    this.#ahead = this.#ahead.filter(({ at }) => at > now)
    for (const slot of this.#ahead) slot.at = moved(slot.at)
    this.#nextAt = moved(this.#nextAt)
    this.#perS = perS
  }

  /** Would a slot taken now be one of now? */
  isFree(now: MonoMs): boolean {
    return !Number.isFinite(this.#perS) || this.#nextAt <= now
  }

  /** Takes the next slot. */
  take(now: MonoMs): Slot {
    if (!Number.isFinite(this.#perS)) return { at: now }
    // Slots that nobody took in the last 50 ms may be caught up with, older ones are gone: a pause is no licence for a burst.
    const burst = this.#perS * Pace.#BURST_MS >= 1_000 ? Pace.#BURST_MS : 0
    const slot = { at: Math.max(this.#nextAt, now - burst) }
    this.#nextAt = slot.at + 1_000 / this.#perS
    if (slot.at > now) this.#ahead.push(slot)
    return slot
  }
}

/** At most `perMinute` connects in any sixty seconds, counted exactly: providers count so too. */
export class ConnectLog {
  readonly #times: MonoMs[] = []

  /** Takes a connect if one is left; otherwise the milliseconds until one is. */
  take(perMinute: number, now: MonoMs): number {
    while (this.#times[0] !== undefined && this.#times[0] <= now - 60_000) this.#times.shift()
    const limit = Math.max(1, Math.floor(perMinute))
    if (this.#times.length < limit) {
      this.#times.push(now)
      return 0
    }
    return (this.#times[this.#times.length - limit] as MonoMs) + 60_000 - now
  }
}
