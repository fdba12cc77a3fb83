import { encodeJson } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus, Entry } from '../runtime/bus/types.ts'
import { Infrastructure, isStale, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Work } from './state.ts'

/** A synced batch costs the server a folder of its own and four fsyncs however full it is: more than all else a busy mail costs it. */
const ROUND_MS = 100
/** Outcomes of an order that is still being worked on leave together: so much younger than that, they wait for the next round. A chunk costs everybody who reads the journal. */
const TOGETHER_MS = 100
/** A sender starts no transaction while an outcome waits longer than this: it bounds what a crash can repeat (S2). */
const BACKPRESSURE_MS = 300
/** entries and bytes of one atomic batch (facts: keep to 200 messages or 4 MB) */
const ROUND_ENTRIES = 200
const ROUND_BYTES = 4_000_000

interface Pending {
  readonly work: Work
  readonly outcomes: Outcome[]
  readonly since: number
  /** somebody waits for it */
  wanted: boolean
}
interface Chunk {
  readonly work: Work
  readonly outcomes: readonly Outcome[]
  readonly entry: Entry
  readonly since: number
  /** durable, or lost to a later claim: nothing is left to write */
  done: boolean
}

/**
 * The sender's pen: outcomes leave as one atomic batch every 100 ms, one round in flight, each chunk expecting the claim it stands under.
 * A chunk the server refuses means that a later claim holds the batch: the work is marked lost and never spoken of again.
 */
export class Journal {
  readonly #bus: Bus
  readonly #mono: () => number
  readonly #wall: () => number
  readonly #pending = new Map<Work, Pending>()
  #inFlight: readonly Chunk[] = []
  #timer: NodeJS.Timeout | null = null
  #waiters: (() => void)[] = []
  #rounds = 0
  #closing = false
  #closed = false
  readonly #onTrouble: (error: unknown) => void

  constructor(options: { bus: Bus; mono: () => number; wall: () => number; onTrouble: (error: unknown) => void }) {
    this.#bus = options.bus
    this.#mono = options.mono
    this.#wall = options.wall
    this.#onTrouble = options.onTrouble
  }

  add(work: Work, outcome: Outcome): void {
    if (work.lost) return
    work.unconfirmed++
    const pending = this.#pending.get(work)
    if (pending) pending.outcomes.push(outcome)
    else this.#pending.set(work, { work, outcomes: [outcome], since: this.#mono(), wanted: false })
    this.#arm()
  }

  /** How long the oldest outcome has waited to be durable, ms. */
  oldestWaitingMs(): number {
    const oldest = this.#inFlight[0]?.since ?? this.#pending.values().next().value?.since
    return oldest === undefined ? 0 : this.#mono() - oldest
  }

  /** Resolves when a transaction may start. */
  async room(): Promise<void> {
    while (this.oldestWaitingMs() > BACKPRESSURE_MS && !this.#closed) await this.#nextRound()
  }

  /** Resolves when nothing of the work waits any more: durable, or lost to a later claim. */
  async settled(work: Work): Promise<'durable' | 'lost'> {
    while (!work.lost && work.unconfirmed > 0) {
      const pending = this.#pending.get(work)
      if (pending !== undefined) pending.wanted = true
      if (this.#closed) throw new Infrastructure('closed', 'the journal ended before its last outcomes were durable')
      await this.#nextRound()
    }
    return work.lost ? 'lost' : 'durable'
  }

  get rounds(): number {
    return this.#rounds
  }

  /** Writes what waits, then stops. */
  async close(): Promise<void> {
    this.#closing = true
    while (!this.#closed && (this.#pending.size > 0 || this.#inFlight.length > 0)) await this.#nextRound()
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #arm(): void {
    if (this.#timer || this.#inFlight.length > 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#round()
    }, ROUND_MS)
  }

  #nextRound(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  async #round(): Promise<void> {
    this.#inFlight = this.#nextChunks()
    for (const { work } of this.#inFlight) this.#pending.delete(work)
    for (let inDoubt = false; this.#inFlight.length > 0; ) {
      try {
        // A write whose answer never came may be there: nothing is written again before it was looked up, however long NATS is away.
        if (inDoubt) await this.#lookUp()
        inDoubt = true
        await this.#write()
        inDoubt = false
      } catch (error) {
        // The outcomes wait here, and back-pressure stops the sending meanwhile.
        if (!(error instanceof Infrastructure)) throw error
        if (error.code === 'closed') {
          this.#closed = true
          break
        }
        this.#onTrouble(error)
        await new Promise((resolve) => setTimeout(resolve, RETRY_PACE_MS[error.code]))
      }
      this.#inFlight = this.#inFlight.filter(({ done }) => !done)
    }
    this.#rounds++
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
    if (this.#pending.size > 0) this.#arm()
  }

  /** The oldest, as many as one atomic batch bears. */
  #nextChunks(): Chunk[] {
    const chunks: Chunk[] = []
    let bytes = 0
    const now = this.#mono()
    for (const pending of this.#pending.values()) {
      if (!this.#closing && !mayLeave(pending, now)) continue
      const chunk = this.#chunk(pending)
      bytes += chunk.entry.body.length
      if (chunks.length === ROUND_ENTRIES || (chunks.length > 0 && bytes > ROUND_BYTES)) break
      chunks.push(chunk)
    }
    return chunks
  }

  /** Returns when the server's word on every chunk is known; throws Infrastructure when that of some is not. */
  async #write(): Promise<void> {
    const chunks = this.#inFlight.filter(({ done }) => !done)
    if (chunks.length > 1) {
      const result = await this.#bus.storeAll(chunks.map((chunk) => chunk.entry))
      if (result.kind === 'unknown') throw new Infrastructure('timeout', `outcomes of ${chunks.length} batches: ${result.because}`)
      if (result.kind === 'stored') {
        for (const chunk of chunks) confirm(chunk)
        return
      }
      // One refused chunk refuses the round: one by one tells whose it is.
    }
    const written = await Promise.allSettled(chunks.map((chunk) => this.#writeOne(chunk)))
    for (const result of written) if (result.status === 'rejected') throw result.reason
  }

  async #writeOne(chunk: Chunk): Promise<void> {
    const { subject: on, body, ...options } = chunk.entry
    const stored = await this.#bus.store(on, body, options)
    if (stored.kind === 'stored') confirm(chunk)
    else if (isStale(stored)) {
      chunk.done = true
      chunk.work.lost = true
    } else throw new Infrastructure('unavailable', `outcomes on ${on} refused: ${stored.code} ${stored.message}`)
  }

  /** Nobody but us writes under our claim, so the subject's last message tells whether ours is there. */
  async #lookUp(): Promise<void> {
    for (const chunk of this.#inFlight) {
      if (chunk.done) continue
      const last = await this.#bus.readLast(STREAM.outcomes, chunk.entry.subject)
      if (last && Buffer.from(last.body).equals(chunk.entry.body)) confirm(chunk)
    }
  }

  #chunk({ work, outcomes, since }: Pending): Chunk {
    const { tenant, campaign } = work.batch
    const names = { tenant, campaign, batch: work.batchSeq }
    const body = encodeJson({ v: 1, ...names, attempt: work.held.order.attempt, at: rfc3339(this.#wall()), outcomes } satisfies OutcomeChunk)
    const entry = { subject: subject('outcome', names), body, expect: { seq: work.claimSeq, on: subject('claim', names) } }
    return { work, outcomes, entry, since, done: false }
  }
}

/** Nobody of its order is being sent to any more, somebody waits for it, or it has waited long enough. */
function mayLeave({ work, since, wanted }: Pending, now: number): boolean {
  return wanted || now - since >= TOGETHER_MS || (work.open.size === 0 && work.taken.size === 0)
}

function confirm(chunk: Chunk): void {
  chunk.done = true
  chunk.work.unconfirmed -= chunk.outcomes.length
}
