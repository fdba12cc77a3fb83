/** Of so many last dots of a site … */
const LAST = 500
/** … more than 1 % and more than five may not go unanswered (delivery.md §4). */
const SHARE = 0.01
const COUNT = 5
/** Sites whose dots are counted; the oldest go first, and with them what was lost there. */
const SITES = 5_000

interface Dots {
  /** dots so far */
  count: number
  /** which of the last 500 went unanswered, by their number */
  lost: number[]
}

/** Final dots without a reply. A few are accidents, and a newsletter counts as delivered; many are a site that takes mails and forgets them. */
export class LostDots {
  readonly #sites = new Map<string, Dots>()

  answered(site: string): void {
    this.#count(site)
  }

  /** True: too many at this site to go on believing that the mails arrived. */
  unanswered(site: string): boolean {
    const dots = this.#count(site)
    dots.lost.push(dots.count)
    return dots.lost.length > COUNT && dots.lost.length > SHARE * Math.min(LAST, dots.count)
  }

  #count(site: string): Dots {
    const dots = this.#sites.get(site) ?? { count: 0, lost: [] }
    dots.count++
    while ((dots.lost[0] ?? Number.POSITIVE_INFINITY) <= dots.count - LAST) dots.lost.shift()
    this.#sites.delete(site)
    this.#sites.set(site, dots)
    if (this.#sites.size > SITES) {
      const oldest = this.#sites.keys().next()
      if (!oldest.done) this.#sites.delete(oldest.value)
    }
    return dots
  }
}
