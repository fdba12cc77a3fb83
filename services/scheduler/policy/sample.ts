import type { Lane } from '../../../protocol/words.ts'

/**
 * A large campaign first shows each site a random 2 % of its recipients, 250 at least, and waits for what becomes of them (delivery.md §7): enough for
 * the breakers to stop it before the rest is sent. Who comes first is made random when the batches are cut (grouping.ts).
 */
export const SAMPLE = {
  share: 0.02,
  /** nine of ten of these are more than the 200 results that a breaker needs */
  least: 250,
  /** campaigns below so many recipients go as they are */
  large: 1_000,
  /** the last few of a sample may take hours (greylisting, a dot nobody answers) */
  heard: 0.9,
} as const

/** Whose first recipients are a sample. How long a list in the object store is, nobody knows before it is read. */
export function isLarge({ lane, list, inline }: { readonly lane: Lane; readonly list: object | null; readonly inline: number | null }): boolean {
  return lane === 'bulk' && (list !== null || (inline ?? 0) >= SAMPLE.large)
}

export interface Sample {
  /** recipients of the site released so far */
  released: number
  /** the sample's outcomes are in: everybody may go */
  open: boolean
}

export function newSample(): Sample {
  return { released: 0, open: false }
}

/**
 * How many recipients may go now; Infinity once the sample is in, or where the site's recipients are no more than it. `known`: recipients of the site
 * read so far, released ones included; `silent`: how many of the released ones have no outcome, not even a deferral.
 */
export function sampleRoom(sample: Sample, known: number, silent: () => number): number {
  if (sample.open || known <= SAMPLE.least) return Number.POSITIVE_INFINITY
  const size = Math.max(SAMPLE.least, Math.floor(known * SAMPLE.share))
  if (sample.released >= size && silent() <= Math.round(size * (1 - SAMPLE.heard))) {
    sample.open = true
    return Number.POSITIVE_INFINITY
  }
  return Math.max(0, size - sample.released)
}

/** The same in a random order (Fisher and Yates). */
export function shuffled<T>(all: readonly T[], dice: () => number): T[] {
  const mixed = [...all]
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(dice() * (at + 1))
    const [one, two] = [mixed[at] as T, mixed[other] as T]
    mixed[at] = two
    mixed[other] = one
  }
  return mixed
}
