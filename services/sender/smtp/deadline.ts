/**
 * One deadline that is moved with every reply, for the price of a number: a single timer ticks each `resolutionMs` while something is awaited
 * and looks whether the moment has passed. So a deadline is noticed up to `resolutionMs` late, and never early.
 */
export class Deadline {
  readonly #resolutionMs: number
  readonly #onExpired: () => void
  #timer: NodeJS.Timeout | null = null
  #at = Number.POSITIVE_INFINITY
  #ticking = false
  #disposed = false

  constructor(resolutionMs: number, onExpired: () => void) {
    this.#resolutionMs = resolutionMs
    this.#onExpired = onExpired
  }

  /** Forgets the former deadline. */
  set(ms: number): void {
    if (this.#disposed) return
    this.#at = performance.now() + ms
    if (this.#ticking) return
    this.#ticking = true
    if (this.#timer === null) this.#timer = setTimeout(this.#tick, this.#resolutionMs)
    else this.#timer.refresh()
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY
  }

  dispose(): void {
    this.#disposed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  readonly #tick = (): void => {
    if (this.#at === Number.POSITIVE_INFINITY) {
      this.#ticking = false
    } else if (performance.now() < this.#at) {
      this.#timer?.refresh()
    } else {
      this.#at = Number.POSITIVE_INFINITY
      this.#ticking = false
      this.#onExpired()
    }
  }
}
