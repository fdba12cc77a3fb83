import type { Bus } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Leases } from './leases.ts'
import type { Asked, ReportPost } from './report-post.ts'

/** Renewals need several tries within a lease's 4 s. */
const ANSWER_MS = 1_000
/** Leases that run low within one moment are told together. */
const TOGETHER_MS = 50

/** Tells each router what was done under its leases, at every turn and sooner when asked; one report per shard in flight. */
export class Reports implements Disposable {
  readonly #post: ReportPost
  readonly #leases: Leases
  readonly #inFlight = new Map<string, { again: boolean }>()
  readonly #low = new Set<string>()
  #together: NodeJS.Timeout | null = null

  constructor(options: { post: ReportPost; leases: Leases }) {
    this.#post = options.post
    this.#leases = options.leases
  }

  every(): void {
    for (const shard of this.#leases.shards()) this.now(shard)
  }

  /** A stopping sender's last word: said when this returns, if not yet answered. */
  last(): void {
    this.every()
    this.#post.leave()
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
    const told = await this.#post.send(shard, report)
    if (told.kind === 'answer') {
      this.#leases.heard(report)
      this.#leases.answered(shard, told.answer)
    } else this.#leases.unheard(report)
    this.#inFlight.delete(shard)
    if (flight.again && told.kind !== 'ended') this.now(shard)
  }
}

/** The last report of a stopping sender may meet a connection that is closed, or forbids it. */
export function askQuietly(bus: Bus): (on: string, body: Uint8Array) => Promise<Asked> {
  return async (on, body) => {
    try {
      return await bus.ask(on, body, { timeoutMs: ANSWER_MS })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      return { kind: 'ended' }
    }
  }
}
