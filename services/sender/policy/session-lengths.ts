import type { MonoMs } from '../../../protocol/words.ts'

/** Limits change; what was learnt is believed for a day. */
const BELIEVED_MS = 86_400_000
/** A close so soon behind a reply is the peer's limit; a later one is its patience with silence. */
const AT_ONCE_MS = 1_000
/** hosts remembered; the oldest go first */
const REMEMBERED = 20_000

interface Length {
  readonly mails: number
  /** the same count twice in a row is a limit, once may be anything */
  readonly times: number
  readonly until: MonoMs
}

/**
 * How many mails a host takes of one session before it closes by itself (Yahoo: silently after 20). The end of a session blames nobody; what it teaches
 * is that the next one ends by our QUIT at that count, so that no mail runs into the close. By address.
 */
export class SessionLengths {
  readonly #known = new Map<string, Length>()

  /** The peer ended a session between transactions, `afterMs` after the last one. */
  ended(address: string, mails: number, afterMs: number, now: MonoMs): void {
    if (mails === 0 || afterMs > AT_ONCE_MS) return
    const before = this.#known.get(address)
    this.#known.delete(address)
    this.#known.set(address, { mails, times: before?.mails === mails ? before.times + 1 : 1, until: now + BELIEVED_MS })
    if (this.#known.size > REMEMBERED) {
      const oldest = this.#known.keys().next()
      if (!oldest.done) this.#known.delete(oldest.value)
    }
  }

  /** Mails that a session there may carry; Infinity: nothing was learnt. */
  most(address: string, now: MonoMs): number {
    const known = this.#known.get(address)
    return known !== undefined && known.times >= 2 && known.until > now ? known.mails : Number.POSITIVE_INFINITY
  }
}
