import { decode, encode } from '../../protocol/codec.ts'
import type { ReportAnswer } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Answer, Bus } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Leases } from './leases.ts'

/** Renewals need several tries within a lease's 4 s. */
const ANSWER_MS = 1_000

/** Tells each router what was done under its leases, every `everyMs` and at once when asked; one report per shard in flight. */
export class Reports implements Disposable {
  readonly #bus: Bus
  readonly #leases: Leases
  readonly #inFlight = new Map<string, { again: boolean }>()
  readonly #timer: NodeJS.Timeout

  constructor(options: { bus: Bus; leases: Leases; everyMs: number }) {
    this.#bus = options.bus
    this.#leases = options.leases
    this.#timer = setInterval(() => {
      for (const shard of this.#leases.shards()) this.now(shard)
    }, options.everyMs)
  }

  now(shard: string): void {
    const underWay = this.#inFlight.get(shard)
    if (underWay) underWay.again = true
    else void this.#report(shard)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  async #report(shard: string): Promise<void> {
    const flight = { again: false }
    this.#inFlight.set(shard, flight)
    const report = this.#leases.reportFor(shard)
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
