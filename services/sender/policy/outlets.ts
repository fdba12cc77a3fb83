import type { MonoMs } from '../../../protocol/words.ts'

/** Time-outs at so many sites, with no connection made, within so long: it is our own way out (port 25 closed), not all of them (delivery.md §7). */
const SITES = 5
const WITHIN_MS = 300_000

/** Whether connects from a source get out at all. Remembers, for each source, the sites that did not answer since its last connection. */
export class Outlets {
  readonly #silent = new Map<string, Map<string, MonoMs>>()

  /** A connect timed out: is it the host, or is it us? */
  timedOut(source: string, site: string, now: MonoMs): 'host' | 'us' {
    const sites = this.#silent.get(source) ?? new Map<string, MonoMs>()
    for (const [other, at] of sites) if (now - at >= WITHIN_MS) sites.delete(other)
    sites.set(site, now)
    this.#silent.set(source, sites)
    // As many as the rule needs are enough to remember; the one met again last goes last.
    for (const oldest of sites.keys()) {
      if (sites.size <= SITES) break
      sites.delete(oldest)
    }
    return sites.size >= SITES ? 'us' : 'host'
  }

  /** Somebody answered, were it by a refusal: the way out is open. */
  connected(source: string): void {
    this.#silent.delete(source)
  }
}
