import { decode, encode } from '../../protocol/codec.ts'
import type { Grant, GrantAnswer, GrantAnswers } from '../../protocol/messages/permission.ts'

/** Grants of one message: each has up to a hundred orders, and the server takes 8 MB. */
const GRANTS_AT_ONCE = 50

/** What asking a sender brings: its answer's octets, or none. */
export type Asked = { readonly kind: 'answer'; readonly body: Uint8Array } | { readonly kind: 'nobody' } | { readonly kind: 'timeout' }
/** What became of one grant; null: nobody knows. */
export type Granted = GrantAnswer | null

interface Letter {
  readonly grant: Grant
  readonly answered: (answer: Granted) => void
}

export interface GrantPostOptions {
  readonly ask: (sender: string, body: Uint8Array) => Promise<Asked>
  /** does this sender read several grants of one message? */
  readonly takesMany: (sender: string) => boolean
}

/**
 * Takes grants to senders: those that all shards of this process have for one in one turn go in one message and have one answer. Orders for a tail of small
 * sites come by the dozen and are a grant each, which as messages of their own cost more than what is in them.
 */
export class GrantPost {
  readonly #options: GrantPostOptions
  readonly #letters = new Map<string, Letter[]>()

  constructor(options: GrantPostOptions) {
    this.#options = options
  }

  /** Resolves with the sender's answer, or null where there was none. Nobody listens: it was not heard for certain, and the sender is gone until it says otherwise. */
  send(sender: string, grant: Grant): Promise<Granted> {
    const { promise, resolve } = Promise.withResolvers<Granted>()
    const letters = this.#letters.get(sender)
    if (letters !== undefined) letters.push({ grant, answered: resolve })
    else {
      this.#letters.set(sender, [{ grant, answered: resolve }])
      setImmediate(() => this.#leave(sender))
    }
    return promise
  }

  #leave(sender: string): void {
    const letters = this.#letters.get(sender) ?? []
    this.#letters.delete(sender)
    const most = this.#options.takesMany(sender) ? GRANTS_AT_ONCE : 1
    for (let at = 0; at < letters.length; at += most) void this.#take(sender, letters.slice(at, at + most))
  }

  async #take(sender: string, letters: readonly Letter[]): Promise<void> {
    const [only, ...others] = letters.map(({ grant }) => grant)
    const asked = await this.#options.ask(sender, encode(others.length === 0 ? only : { grants: [only, ...others] }))
    const answers = asked.kind === 'answer' ? answersOf(asked.body) : null
    for (const [at, { answered }] of letters.entries()) {
      if (asked.kind === 'nobody') answered({ kind: 'refused', because: 'stopping' })
      else answered(answers?.[at] ?? null)
    }
  }
}

function answersOf(body: Uint8Array): readonly GrantAnswer[] {
  const answer = decode<GrantAnswer | GrantAnswers>(body)
  return 'answers' in answer ? answer.answers : [answer]
}
