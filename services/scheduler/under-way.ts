import type { EpochMs } from '../../protocol/words.ts'
import type { Tally } from './state.ts'

/** Why recipients wait, and until when it is known to last. */
export interface Reason {
  readonly because: string
  readonly until: EpochMs | null
}

interface ReleasedBatch {
  site: string
  readonly count: number
  /** what the scheduler itself lets it wait for (DNS); null = it is on its way through router and sender */
  rest: Reason | null
}

/**
 * Batches of a campaign that were released and still have recipients without an outcome: the answer to "where is the rest of my mail?" (S7).
 * An entry a batch, gone when everybody in it is settled; made anew from the stream when a term begins, where such batches still lie.
 */
export class UnderWay {
  readonly #batches = new Map<number, ReleasedBatch>()
  readonly #tally: Tally

  constructor(tally: Tally) {
    this.#tally = tally
  }

  released(batch: number, site: string, count: number): void {
    this.#batches.set(batch, { site, count, rest: null })
    this.counted(batch) // outcomes may be faster than the answer to the release
  }

  /** It goes to a site's router, perhaps another than before. */
  sent(batch: number, site: string): void {
    const entry = this.#batches.get(batch)
    if (entry) Object.assign(entry, { site, rest: null })
  }

  rests(batch: number, rest: Reason): void {
    const entry = this.#batches.get(batch)
    if (entry) entry.rest = rest
  }

  /** Outcomes of it were counted. */
  counted(batch: number): void {
    const entry = this.#batches.get(batch)
    if (entry && this.#tally.settledOf(batch) >= entry.count) this.#batches.delete(batch)
  }

  /** Recipients without an outcome by site and reason; those whose last one was `deferred` are told by the tally. */
  *waiting(why: (site: string) => Reason): Iterable<Reason & { readonly site: string; readonly count: number }> {
    const sums = new Map<string, Reason & { site: string; count: number }>()
    for (const [batch, { site, count, rest }] of this.#batches) {
      const left = count - this.#tally.settledOf(batch) - this.#tally.deferredOf(batch)
      if (left <= 0) continue
      const reason = rest ?? why(site)
      const key = `${reason.because} ${site}`
      const sum = sums.get(key)
      if (sum) sum.count += left
      else sums.set(key, { site, count: left, ...reason })
    }
    yield* sums.values()
  }

  /** Recipients released to a site of whom nothing was heard, not even a deferral. */
  silentAt(site: string): number {
    let silent = 0
    for (const [batch, entry] of this.#batches)
      if (entry.site === site) silent += Math.max(0, entry.count - this.#tally.settledOf(batch) - this.#tally.deferredOf(batch))
    return silent
  }

  *sites(): Iterable<string> {
    for (const { site } of this.#batches.values()) yield site
  }

  get size(): number {
    return this.#batches.size
  }
}
