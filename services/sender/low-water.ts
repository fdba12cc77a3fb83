/** Below this the router should already be sending more: about a second of the lease's pace, within these. */
const LEAST = 20
const MOST = 200
/** From so many on the router should hear before all are gone: a new campaign's first few hundred are soon sent where a site is fast. */
const PLENTY = 50

/** When a lease's queue runs low: told once on the way down after each filling. Of one that was given few its router hears at the next turn. */
export class LowWater {
  #at = 0
  #isWatched = false

  /** @param queued recipients waiting now, the new ones among them */
  filled(queued: number, pacePerS: number): void {
    const low = Math.min(MOST, Math.max(LEAST, pacePerS))
    this.#at = queued > low ? low : Math.floor(queued / 2)
    this.#isWatched = queued >= PLENTY
  }

  reached(queued: number): boolean {
    if (!this.#isWatched || queued > this.#at) return false
    this.#isWatched = false
    return true
  }
}
