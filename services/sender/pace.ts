import type { MonoMs } from '../../protocol/words.ts'

/**
 * Spaces transactions: at most `perS` a second, no bursts beyond 50 ms' worth. Each caller is told how long to wait for its own slot,
 * so sessions of one lease share one pace.
 */
export class Pace {
  #perS: number
  #nextAt: MonoMs = 0
  static readonly #BURST_MS = 50

  constructor(perS: number) {
    this.#perS = perS
  }

  /** Slots that are taken already move with the pace: what was reserved at a slow one must not hold up a faster one. */
  change(perS: number, now: MonoMs): void {
    const ahead = Math.max(0, this.#nextAt - now) * (this.#perS / perS)
    this.#nextAt = now + (Number.isFinite(ahead) ? ahead : 0)
    this.#perS = perS
  }

  /** Takes the next slot; the milliseconds until it. */
  take(now: MonoMs): number {
    if (!Number.isFinite(this.#perS)) return 0
    // Slots that nobody took in the last 50 ms may be caught up with, older ones are gone: a pause is no licence for a burst.
    const burst = this.#perS * Pace.#BURST_MS >= 1_000 ? Pace.#BURST_MS : 0
    this.#nextAt = Math.max(this.#nextAt, now - burst)
    const wait = Math.max(0, this.#nextAt - now)
    this.#nextAt += 1_000 / this.#perS
    return wait
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
