import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import { Wakers } from '../runtime/wakers.ts'
import { every } from '../runtime/wheel.ts'

/** above this share of the store nothing more is accepted: publishers are refused by the stream, what is here waits (design §3) */
const STORE_FULL = 0.7
const STORE_LOOK_MS = 5_000

export interface StoreGateOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly onChange: () => void
}

/** Is there room in the store for another campaign? */
export class StoreGate implements Disposable {
  readonly #options: StoreGateOptions
  readonly #waiting = new Wakers()
  #full = false
  #closed = false
  #looks: Disposable | null = null

  constructor(options: StoreGateOptions) {
    this.#options = options
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look()
    this.#looks = every(STORE_LOOK_MS, () => void this.#look())
  }

  get isOpen(): boolean {
    return !this.#full && !this.#closed
  }

  /** Waits for room, `withinMs` at most; whether there is any. */
  async room(withinMs: number): Promise<boolean> {
    const { mono } = this.#options.clock
    for (let now = mono(), end = now + withinMs; this.#full && !this.#closed && now < end; now = mono()) await this.#waiting.wakened(end - now)
    return this.isOpen
  }

  [Symbol.dispose](): void {
    this.#closed = true
    this.#looks?.[Symbol.dispose]()
    this.#waiting.wake()
  }

  async #look(): Promise<void> {
    const { bus, log, onChange } = this.#options
    const use = await bus.storeUse().catch((error: unknown) => {
      if (!(error instanceof Infrastructure)) throw error
      log.warn('store not seen', { error: error.message }) // the next look comes by itself
      return null
    })
    if (use === null) return
    const { usedBytes, allowedBytes } = use
    const full = allowedBytes > 0 && usedBytes > allowedBytes * STORE_FULL
    if (full === this.#full) return
    log.warn(full ? 'intake stopped' : 'intake resumed', { usedBytes, allowedBytes })
    this.#full = full
    if (!full) this.#waiting.wake()
    onChange()
  }
}
