/** Share of a turn in which the event loop was busy: from here on a further session would only wait for the CPU. */
const SPENT = 0.9
/** However busy the process is, so many sessions are worth having: enough for peers that answer within a millisecond. */
const LEAST = 64
/** Room that is offered in any case, as long as there is some: what has no session yet, urgent mail among it, gets one soon. */
const ALWAYS = 4
const FEWER = 0.8
const MORE = 1.5

export const FIRST_APPETITE = 2 * LEAST

/**
 * How many sessions a sender asks for. Where peers are slow a thousand cost it little; where its CPU is spent each one more only makes all others slower, and
 * everybody who waits is reported, renewed and told of meanwhile: ten thousand small sites had each of their leases for ten seconds instead of one or two.
 */
export function nextAppetite(appetite: number, { lent, busy, most }: { readonly lent: number; readonly busy: number; readonly most: number }): number {
  if (busy >= SPENT) return Math.min(most, Math.max(LEAST, Math.min(appetite, lent) * FEWER))
  // What is not used up proves nothing.
  return lent < appetite / 2 ? Math.min(most, appetite) : Math.min(most, appetite * MORE)
}

/** Of what is free, how much is offered. */
export function offered(free: number, appetite: number, lent: number): number {
  return Math.min(free, Math.max(Math.floor(appetite) - lent, ALWAYS))
}

/** Somebody waits for room: whoever is idle here is in the way. */
export function isCrowded(free: number, offer: number): boolean {
  return offer === 0 || (offer <= ALWAYS && offer < free)
}
