export interface Round {
  readonly everyMs: number
  readonly turn: () => void
}

/** What comes round while leases are held. A sender without one does not wake for it: dozens of wake-ups a second are most of what an idle process costs. */
export class Rounds implements Disposable {
  readonly #rounds: readonly Round[]
  readonly #needed: () => boolean
  #timers: NodeJS.Timeout[] = []

  constructor(rounds: readonly Round[], needed: () => boolean) {
    this.#rounds = rounds
    this.#needed = needed
  }

  /** A lease was taken. */
  begin(): void {
    if (this.#timers.length > 0) return
    this.#timers = this.#rounds.map(({ everyMs, turn }) =>
      setInterval(() => {
        turn()
        if (!this.#needed()) this[Symbol.dispose]()
      }, everyMs),
    )
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers = []
  }
}
