/** Virtual time, dice with a seed, and a network that delays and loses. Nothing here knows of mail. */

export interface WeatherOptions {
  readonly seed: number
  /** 0 … 1: share of messages that never arrive */
  readonly loss: number
  /** a message takes up to so long */
  readonly delayMs: number
}

interface Happening {
  readonly at: number
  /** of two at the same moment the one that was planned first comes first */
  readonly n: number
  readonly run: () => void
}

export class Weather {
  t = 0
  readonly #ahead: Happening[] = []
  readonly #options: WeatherOptions
  #seed: number
  #n = 0

  constructor(options: WeatherOptions) {
    this.#options = options
    this.#seed = options.seed
  }

  /** Uniform in [0, 1) (mulberry32). */
  readonly dice = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let x = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }

  run(ms: number): void {
    const until = this.t + ms
    for (let next = this.#ahead[0]; next !== undefined && next.at <= until; next = this.#ahead[0]) {
      this.#ahead.shift()
      this.t = next.at
      next.run()
    }
    this.t = until
  }

  later(ms: number, run: () => void): void {
    const happening: Happening = { at: this.t + ms, n: this.#n++, run }
    let at = this.#ahead.length
    while (at > 0 && isAfter(this.#ahead[at - 1] as Happening, happening)) at--
    this.#ahead.splice(at, 0, happening)
  }

  every(ms: number, run: () => void): void {
    const again = () => {
      run()
      this.later(ms, again)
    }
    this.later(ms * this.dice(), again)
  }

  /** To or from somebody who can be reached when it leaves and when it arrives. */
  send(arrive: () => void, isReached: () => boolean = () => true): void {
    if (this.dice() < this.#options.loss || !isReached()) return
    this.later(this.delay(), () => {
      if (isReached()) arrive()
    })
  }

  delay(): number {
    return 1 + this.dice() * this.#options.delayMs
  }
}

function isAfter(a: Happening, b: Happening): boolean {
  return a.at > b.at || (a.at === b.at && a.n > b.n)
}
