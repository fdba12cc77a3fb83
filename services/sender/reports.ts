import { decode, encode } from '../../protocol/codec.ts'
import type { ReportAnswer } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Answer, Bus } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Leases } from './leases.ts'

/** Renewals need several tries within a lease's 4 s. */
const ANSWER_MS = 1_000
/** Leases that run low within one moment are told together. */
const TOGETHER_MS = 50

/** Tells each router what was done under its leases, at every turn and sooner when asked; one report per shard in flight. */
export class Reports implements Disposable {
  readonly #bus: Bus
  readonly #leases: Leases
  readonly #inFlight = new Map<string, { again: boolean }>()
  readonly #low = new Set<string>()
  #together: NodeJS.Timeout | null = null

  constructor(options: { bus: Bus; leases: Leases }) {
    this.#bus = options.bus
    this.#leases = options.leases
  }

  every(): void {
    for (const shard of this.#leases.shards()) this.now(shard)
  }

  /** A lease of the shard runs low. */
  soon(shard: string): void {
    this.#low.add(shard)
    this.#together ??= setTimeout(() => {
      this.#together = null
      const low = [...this.#low]
      this.#low.clear()
      for (const each of low) this.now(each)
    }, TOGETHER_MS)
  }

  now(shard: string): void {
    const underWay = this.#inFlight.get(shard)
    if (underWay) underWay.again = true
    else void this.#report(shard)
  }

  [Symbol.dispose](): void {
    if (this.#together) clearTimeout(this.#together)
  }

  async #report(shard: string): Promise<void> {
    const report = this.#leases.reportFor(shard)
    if (report === null) return
    const flight = { again: false }
    this.#inFlight.set(shard, flight)
    const answer = await this.#ask(subject('report', { shard }), encode(report))
    if (answer.kind === 'answer') {
      this.#leases.heard(report)
      this.#leases.answered(shard, decode<ReportAnswer>(answer.body))
    } else this.#leases.unheard(report)
    this.#inFlight.delete(shard)
    if (flight.again && answer.kind !== 'ended') this.now(shard)
  }

  /** `ended`: the connection was closed or forbids it; the last report of a stopping sender may meet that. */
  async #ask(on: string, body: Uint8Array): Promise<Answer | { readonly kind: 'ended' }> {
    try {
      return await this.#bus.ask(on, body, { timeoutMs: ANSWER_MS })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      return { kind: 'ended' }
    }
  }
}
