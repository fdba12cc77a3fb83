import type { Terms } from '../../protocol/messages/permission.ts'
import type { MonoMs } from '../../protocol/words.ts'

/** A host that did not bear it is remembered so long (delivery.md §5). */
const REMEMBERED_MS = 7 * 86_400_000
/** so many of them; the oldest go first */
const HOSTS_REMEMBERED = 50_000
/** `learn`: only after so many plain mails of the session, and while so many recipients wait */
const LEARN_AFTER_MAILS = 5
const LEARN_FROM_WAITING = 20

/** Which hosts bear the next envelope behind a body (`ahead`; RFC 2920 3.1 allows it), by address. */
export class AheadMemory {
  readonly #refused = new Map<string, MonoMs>()
  readonly #mono: () => MonoMs

  constructor(mono: () => MonoMs) {
    this.#mono = mono
  }

  mayAnnounce(word: Terms['ahead'], address: string, mails: number, lease: { readonly queued: number }): boolean {
    if (word === 'never' || (this.#refused.get(address) ?? 0) > this.#mono()) return false
    return word === 'always' || (mails >= LEARN_AFTER_MAILS && lease.queued >= LEARN_FROM_WAITING)
  }

  refused(address: string): void {
    this.#refused.delete(address) // so that it becomes the youngest
    this.#refused.set(address, this.#mono() + REMEMBERED_MS)
    if (this.#refused.size > HOSTS_REMEMBERED) this.#refused.delete(this.#refused.keys().next().value as string)
  }
}
