/** Share of a half second in which the event loop was busy: from here on a further session would only wait for the CPU. */
const SPENT = 0.9
/** Of a sender that asks for all it may hold, the last seconds count: a burst that opens a thousand sessions is over before, work that lasts is told by them. */
const SPENT_FOR_LONG = 0.85
/** of a half second in those last seconds */
const WEIGHT = 0.3
/** However busy the process is, so many sessions are worth having. A few large sites with every session they bear stay below it: their leases would only change hands. */
const LEAST = 128
/** Room that is offered in any case, as long as there is some: what has no session yet, urgent mail among it, gets one soon. */
const ALWAYS = 4
const FEWER = 0.8
const MORE = 1.5

/** How many sessions a sender asks for, and how busy it was lately. */
export interface Appetite {
  readonly sessions: number
  /** smoothed, 0 … 1 */
  readonly busy: number
}

/** Before anything is known it takes all it may hold. */
export function firstAppetite(most: number): Appetite {
  return { sessions: most, busy: 0 }
}

/**
 * Asked each half second. Where peers are slow a thousand sessions cost a sender little; where its CPU is spent each one more only makes all others slower, and
 * everybody who waits is reported, renewed and told of meanwhile: ten thousand small sites had each of their leases for ten seconds instead of one or two.
 */
export function nextAppetite(
  { sessions, busy: before }: Appetite,
  { lent, busy: now, most }: { readonly lent: number; readonly busy: number; readonly most: number },
): Appetite {
  const busy = before + (now - before) * WEIGHT
  if (sessions < most ? now >= SPENT : busy >= SPENT_FOR_LONG) return { sessions: Math.min(most, Math.max(LEAST, Math.min(sessions, lent) * FEWER)), busy }
  // What is not used up proves nothing.
  return { sessions: Math.min(most, lent < sessions / 2 ? sessions : sessions * MORE), busy }
}

/** Of what is free, how much is offered. */
export function offered(free: number, sessions: number, lent: number): number {
  return Math.min(free, Math.max(Math.floor(sessions) - lent, ALWAYS))
}

/** Somebody waits for room: whoever is idle here is in the way. */
export function isCrowded(free: number, offer: number): boolean {
  return offer === 0 || (offer <= ALWAYS && offer < free)
}
