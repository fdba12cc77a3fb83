import type { EpochMs } from '../../protocol/words.ts'
import { type GroupPlace, placeOf } from './grouping.ts'
import type { Sites } from './sites.ts'

/** What DNS told is believed so long beyond its own time; an order that comes due asks again anyway. */
const KEPT_MS = 30_000
/** some 2 MB; a list in which each line has a domain of its own gains nothing by more */
const KEPT_DOMAINS = 10_000

/**
 * Where the recipients of a list that is being read belong, by domain. The resolver answers from its memory too, but each of its answers is a promise and a
 * walk through the rules of sites: for a million lines that is what takes longest.
 */
export class KnownPlaces {
  readonly #sites: Pick<Sites, 'of'>
  readonly #now: () => EpochMs
  #places = new Map<string, GroupPlace>()
  #since: EpochMs

  constructor(sites: Pick<Sites, 'of'>, now: () => EpochMs) {
    this.#sites = sites
    this.#now = now
    this.#since = now()
  }

  /** Asks for what is not known, all together; `of` answers for these addresses until the next call. */
  async lookUp(addresses: readonly string[]): Promise<void> {
    const now = this.#now()
    if (now - this.#since >= KEPT_MS || this.#places.size >= KEPT_DOMAINS) {
      this.#places = new Map()
      this.#since = now
    }
    const asked = new Set<string>()
    for (const address of addresses) {
      const domain = domainOf(address)
      // A resolver that did not answer may answer now.
      if ((this.#places.get(domain)?.place ?? 'unknown') === 'unknown') asked.add(domain)
    }
    await Promise.all([...asked].map(async (domain) => this.#places.set(domain, placeOf(domain, await this.#sites.of(domain)))))
  }

  of(address: string): GroupPlace {
    const domain = domainOf(address)
    return this.#places.get(domain) ?? placeOf(domain, undefined)
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
