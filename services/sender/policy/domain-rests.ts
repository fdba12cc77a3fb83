import type { EpochMs } from '../../../protocol/words.ts'

/** Whoever got a mail through so lately is no domain that takes nothing: the refusal was that one recipient's. */
const PROVEN_MS = 3_600_000
/** Where the row teaches no time of its own (delivery.md §4: a 4xx of nobody in particular). */
const REST_MS = 15 * 60_000
/** Domains remembered; the oldest go first, which costs one more refused mail. */
const REMEMBERED = 10_000

/**
 * Recipient domains that rest while their site goes on: a reply blamed the domain, as a tenant of a large provider that is not set up answers for all of
 * its recipients (delivery.md §3). What one sender was told, the others find out by one refused mail each.
 */
export class DomainRests {
  readonly #rests = new Map<string, EpochMs>()
  readonly #proven = new Map<string, EpochMs>()

  delivered(domain: string, now: EpochMs): void {
    this.#rests.delete(domain)
    remember(this.#proven, domain, now)
  }

  blamed(domain: string, restMs: number | null, now: EpochMs): void {
    if (now - (this.#proven.get(domain) ?? Number.NEGATIVE_INFINITY) < PROVEN_MS) return
    remember(this.#rests, domain, now + (restMs ?? REST_MS))
  }

  /** Null: it does not rest. */
  until(domain: string, now: EpochMs): EpochMs | null {
    const until = this.#rests.get(domain)
    if (until === undefined) return null
    if (until > now) return until
    this.#rests.delete(domain)
    return null
  }
}

function remember(known: Map<string, EpochMs>, domain: string, at: EpochMs): void {
  known.delete(domain)
  known.set(domain, at)
  if (known.size <= REMEMBERED) return
  const oldest = known.keys().next()
  if (!oldest.done) known.delete(oldest.value)
}
