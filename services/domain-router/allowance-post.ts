import { decode, encode } from '../../protocol/codec.ts'
import type { AllowanceAnswers, AllowanceAsk, AllowanceAsks, Allowances } from '../../protocol/messages/permission.ts'
import type { Asked } from './grant-post.ts'

/** Sites that one message asks for: each is answered by every source of its pools, some 150 octets each, and the server takes 8 MB. */
const SITES_AT_ONCE = 100

interface Letter {
  readonly ask: AllowanceAsk
  readonly answered: (answer: Allowances | null) => void
}

/**
 * Takes questions to the ip-manager: those that all shards of this process have in one turn go in one message and have one answer. The orders of a tail come
 * to 32 shards side by side, a few sites each, and each of those was a message, an answer and a turn of its own for three actors.
 */
export class AllowancePost {
  readonly #ask: (body: Uint8Array) => Promise<Asked>
  #letters: Letter[] = []
  /** its last answer said that it reads several */
  #takesMany = false

  constructor(options: { readonly ask: (body: Uint8Array) => Promise<Asked> }) {
    this.#ask = options.ask
  }

  /** Null where there was no answer. */
  send(ask: AllowanceAsk): Promise<Allowances | null> {
    const { promise, resolve } = Promise.withResolvers<Allowances | null>()
    if (this.#letters.push({ ask, answered: resolve }) === 1) setImmediate(() => this.#leave())
    return promise
  }

  #leave(): void {
    const letters = this.#letters
    this.#letters = []
    let together: Letter[] = []
    let sites = 0
    for (const letter of letters) {
      const more = letter.ask.sites.length
      if (together.length > 0 && (!this.#takesMany || sites + more > SITES_AT_ONCE)) {
        void this.#take(together)
        together = []
        sites = 0
      }
      together.push(letter)
      sites += more
    }
    void this.#take(together)
  }

  async #take(letters: readonly Letter[]): Promise<void> {
    const asked = await this.#ask(encode(letters.length === 1 ? letters[0]?.ask : ({ asks: letters.map(({ ask }) => ask) } satisfies AllowanceAsks)))
    const answers = asked.kind === 'answer' ? answersOf(asked.body) : []
    // Whoever owns the sources next may be of another version.
    this.#takesMany = answers[0]?.manyAsks ?? false
    for (const [at, { answered }] of letters.entries()) answered(answers[at] ?? null)
  }
}

function answersOf(body: Uint8Array): readonly Allowances[] {
  const answer = decode<Allowances | AllowanceAnswers>(body)
  return 'answers' in answer ? answer.answers : [answer]
}
