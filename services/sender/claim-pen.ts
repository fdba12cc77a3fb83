import type { Bus, Entry, Stored } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'

/** So few are written one by one, each with an fsync of its own: an atomic batch costs the server four and a folder. */
const ONE_BY_ONE = 3
/** entries of one atomic batch (facts/tried.md) */
const TOGETHER_MOST = 200

interface Waiting {
  readonly entry: Entry
  readonly resolve: (stored: Stored) => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes claims: those that are asked for while others are being written leave together as one atomic batch. Many small orders for many sites come at once;
 * a claim alone waits for nobody.
 */
export class ClaimPen {
  readonly #bus: Pick<Bus, 'store' | 'storeAll'>
  #waiting: Waiting[] = []
  #writing = false

  constructor(bus: Pick<Bus, 'store' | 'storeAll'>) {
    this.#bus = bus
  }

  /** Throws Infrastructure when it is not known whether the claim stands. */
  write(entry: Entry): Promise<Stored> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject })
      if (this.#writing) return
      this.#writing = true
      setImmediate(() => void this.#run()) // grants that were read in one turn ask in one turn
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const round = this.#waiting.splice(0, TOGETHER_MOST)
      if (round.length > ONE_BY_ONE) await this.#together(round)
      else await this.#oneByOne(round)
    }
    this.#writing = false
  }

  async #together(round: readonly Waiting[]): Promise<void> {
    try {
      const stored = await this.#bus.storeAll(round.map(({ entry }) => entry))
      if (stored.kind === 'stored') for (const [at, { resolve }] of round.entries()) resolve({ kind: 'stored', seq: stored.lastSeq - round.length + 1 + at })
      // One refused claim refuses them all: one by one tells whose it is.
      else if (stored.kind === 'refused') await this.#oneByOne(round)
      else throw new Infrastructure('timeout', `${round.length} claims: ${stored.because}`)
    } catch (error) {
      for (const { reject } of round) reject(error)
    }
  }

  async #oneByOne(round: readonly Waiting[]): Promise<void> {
    await Promise.all(round.map(({ entry: { subject, body, ...options }, resolve, reject }) => this.#bus.store(subject, body, options).then(resolve, reject)))
  }
}
