import { encode } from '../../protocol/codec.ts'
import { carried, type HeldOrder, orderId } from '../../protocol/messages/mail.ts'
import { subject } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { EpochMs, ReplyClass } from '../../protocol/words.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'

/** A synced write waits for the disk: so many at once share its rounds. */
const AT_ONCE = 32

interface Parking {
  readonly held: HeldOrder
  readonly at: EpochMs | null
  readonly because: ReplyClass
}

/** Orders that wait elsewhere than here: stored for later (or for the scheduler at once), and only then acked. */
export class ParkingLot {
  readonly #bus: Bus
  readonly #shard: string
  readonly #log: Log
  readonly #waiting: Parking[] = []
  readonly #under = new Set<Promise<void>>()

  constructor(bus: Bus, shard: string, log: Log) {
    this.#bus = bus
    this.#shard = shard
    this.#log = log
  }

  park(parking: Parking): void {
    this.#waiting.push(parking)
    this.#work()
  }

  /** Everything that was parked so far is stored and acked, or comes again by itself. */
  async empty(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under)
  }

  #work(): void {
    while (this.#under.size < AT_ONCE) {
      const parking = this.#waiting.shift()
      if (parking === undefined) return
      const storing: Promise<void> = this.#store(parking).finally(() => {
        this.#under.delete(storing)
        this.#work()
      })
      this.#under.add(storing)
    }
  }

  async #store({ held, at, because }: Parking): Promise<void> {
    const { lane, site } = held.order
    const due = subject('due', { lane })
    const body = encode({ ...carried(held), because })
    try {
      // NOTE: the order's identity names the subject: a copy of it that rests already is replaced, not doubled.
      const stored =
        at === null
          ? await this.#bus.store(due, body)
          : await this.#bus.store(subject('laterRest', { shard: this.#shard, site: token(site), order: orderId(held) }), body, { at, target: due })
      if (stored.kind === 'stored') return this.#bus.ack(held.ackSubject)
      this.#log.error('order-not-parked', { order: held.seq, site, code: stored.code, because: stored.message })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      // Not acked: it comes again after ack_wait. If it was stored all the same, its claim tells the two apart.
      this.#log.warn('order-not-parked', { order: held.seq, site, because: error.message })
    }
  }
}
