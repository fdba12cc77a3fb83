import type { EpochMs } from '../../protocol/words.ts'
import { type GroupPlace, placeOf } from './grouping.ts'
import type { Sites } from './sites.ts'

/** What DNS told is believed up to twice so long beyond its own time; an order that comes due asks again anyway. */
const GENERATION_MS = 15_000
/** Some 4 MB. A list that goes through more domains than two generations hold, one after another, gains nothing. */
const GENERATION_DOMAINS = 20_000

/**
 * Where the recipients of a list that is being read belong, by domain. The resolver answers from its memory too, but each of its answers is a promise and a
 * walk through the rules of sites: for a million lines that is what takes longest.
 *
 * Two generations: new domains go into the young one; when it is full or of age it becomes the old one, and what was the old one is forgotten.
 * NOTE One memory that is emptied when it is full forgets everything each few lines of a list that holds a few domains more than it does.
 */
export class KnownPlaces {
  readonly #sites: Pick<Sites, 'of'>
  readonly #now: () => EpochMs
  #young = new Map<string, GroupPlace>()
  #old = new Map<string, GroupPlace>()
  #since: EpochMs

  constructor(sites: Pick<Sites, 'of'>, now: () => EpochMs) {
    this.#sites = sites
    this.#now = now
    this.#since = now()
  }

  /** Asks for what is not known, all together; `of` answers for these addresses until the next call. */
  async lookUp(addresses: readonly string[]): Promise<void> {
    const now = this.#now()
    if (now - this.#since >= GENERATION_MS || this.#young.size >= GENERATION_DOMAINS) {
      ;[this.#old, this.#young] = [this.#young, new Map()]
      this.#since = now
    }
    const asked = new Set<string>()
    for (const address of addresses) {
      const domain = domainOf(address)
      // A resolver that did not answer may answer now.
      if ((this.#known(domain)?.place ?? 'unknown') === 'unknown') asked.add(domain)
    }
    await Promise.all([...asked].map(async (domain) => this.#young.set(domain, placeOf(domain, await this.#sites.of(domain)))))
  }

  of(address: string): GroupPlace {
    const domain = domainOf(address)
    return this.#known(domain) ?? placeOf(domain, undefined)
  }

  #known(domain: string): GroupPlace | undefined {
    return this.#young.get(domain) ?? this.#old.get(domain)
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
