/**
 * The transactions that today's ramp leaves under a lease. A session begins one only if it is left beside those under way, which the router,
 * who renews the number, cannot have counted.
 */
export class Budget {
  #left: number | null
  readonly #begun = new Set<object>()

  /** null = no ramp */
  constructor(left: number | null) {
    this.#left = left
  }

  get isLeft(): boolean {
    return this.#left === null || this.#left > this.#begun.size
  }

  /** `untold`: done since the last report, so that the router's number still holds them. */
  renew(left: number | null, untold: number): void {
    this.#left = left === null ? null : left - untold
  }

  begin(turn: object): boolean {
    if (!this.isLeft) return false
    this.#begun.add(turn)
    return true
  }

  /** `used` = the peer was spoken to. */
  end(turn: object, use: 'used' | 'unused'): void {
    this.#begun.delete(turn)
    if (use === 'used' && this.#left !== null) this.#left--
  }
}
