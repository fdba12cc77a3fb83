import { randomBytes } from 'node:crypto'
import { normaliseAddress } from '../../protocol/addresses.ts'
import { OBJECT_BUCKET, SUPPRESSION_SNAPSHOT } from '../../protocol/buckets.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { SuppressionEntry } from '../../protocol/messages/ops.ts'
import { STREAM } from '../../protocol/streams.ts'
import { readSubject, subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import { openObjects } from '../runtime/objects.ts'
import { type Held, SuppressionIndex } from './suppression-index.ts'
import { decodeLog, encodeLog, entryOf, type LogMessage, type TakenOff, toldOf } from './suppression-log.ts'
import { readSnapshot, writeSnapshot } from './suppression-snapshot.ts'

/** A new snapshot when reading on from the last one would take some two seconds. */
const SNAPSHOT_AFTER = { entries: 1_000_000, messages: 20_000 }

/** Where a page of the list begins: behind the entry number `index` of the log's message `seq`. */
interface Cursor {
  readonly seq: number
  readonly index: number
}

/**
 * Whom a tenant must not write to, and why (delivery.md §8). Stream SUPPRESSION is the truth, a log of at most 500 entries a message; in memory stands
 * an index of it, some 20 octets an entry (S8); whoever wants to see entries is answered from the log.
 */
export class Suppression {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #log: Log | null
  #index = freshIndex()
  /** last message of the log that the index knows */
  #position = 0
  #since = { entries: 0, messages: 0 }
  /** each message is applied when all before it are, as a reader of the log would */
  #turn: Promise<void> = Promise.resolve()
  #snapshot: Promise<void> | null = null

  constructor(options: { bus: Bus; clock: Clock; log?: Log }) {
    this.#bus = options.bus
    this.#clock = options.clock
    this.#log = options.log ?? null
  }

  async load(options: { readonly snapshot: 'used' | 'passed-over' } = { snapshot: 'used' }): Promise<void> {
    const began = performance.now()
    const { lastSeq } = await this.#bus.streamState(STREAM.suppression)
    const objects = openObjects(this.#bus, OBJECT_BUCKET)
    const snapshot = options.snapshot === 'used' ? await readSnapshot(objects, SUPPRESSION_SNAPSHOT, lastSeq, this.#log) : null
    this.#index = snapshot?.index ?? freshIndex()
    this.#position = snapshot?.position ?? 0
    this.#since = { entries: 0, messages: 0 }
    for await (const message of this.#bus.scan(STREAM.suppression, wildcard('suppressionLog'), { fromSeq: this.#position + 1 })) {
      const tenant = readSubject('suppressionLog', message.subject)?.tenant
      if (tenant) this.#apply(tenant, message.seq, decodeLog(message.body))
    }
    this.#log?.info('suppression loaded', {
      entries: this.#index.size,
      fromSnapshot: snapshot?.position ?? null,
      position: this.#position,
      ms: Math.round(performance.now() - began),
    })
    this.#saveWhenDue()
  }

  /** Which entry holds this campaign's mail to the address back; null = none does. */
  heldBy(campaign: Pick<CampaignRecord, 'tenant' | 'kind'> & { readonly listId?: string | null }, address: string): Held | null {
    return this.#index.heldBy(campaign, keyOf(address), this.#clock.now())
  }

  count(tenant: string): number {
    return this.#index.count(tenant)
  }

  /** All entries of one address, as the log tells them. */
  async find(tenant: string, address: string): Promise<SuppressionEntry[]> {
    const key = keyOf(address)
    const found: SuppressionEntry[] = []
    for (const { where, list, reason } of this.#index.placesOf(tenant, key)) {
      const message = await this.#bus.fetchSeq(STREAM.suppression, where)
      const told = message && decodeLog(message.body).add.find((one) => one.address === key && one.reason === reason && (list === null || one.list === list))
      if (told) found.push(entryOf(told))
    }
    return found
  }

  /** A page, oldest first. `after`: `next` of the page before, or an address of it. */
  async list(tenant: string, after: string | null, limit: number): Promise<{ readonly entries: readonly SuppressionEntry[]; readonly next: string | null }> {
    const from = after === null ? { seq: 0, index: -1 } : this.#cursorOf(tenant, after)
    const entries: SuppressionEntry[] = []
    let last: Cursor | null = null
    if (from === null) return { entries, next: null }
    for await (const { entry, at } of this.#live(tenant, from)) {
      if (entries.length === limit) return { entries, next: last && `${last.seq}.${last.index}` }
      entries.push(entry)
      last = at
    }
    return { entries, next: null }
  }

  /** Everything of a tenant, oldest first, however much it is. */
  async *all(tenant: string): AsyncGenerator<SuppressionEntry> {
    for await (const { entry } of this.#live(tenant, { seq: 0, index: -1 })) yield entry
  }

  /** At most 500; addresses are addresses. Durable when this resolves, and then it holds. */
  async add(tenant: string, entries: readonly SuppressionEntry[]): Promise<void> {
    const now = this.#clock.now()
    // The same entry twice in a message would be seen twice in the list; its last word counts.
    const told = new Map(entries.map((entry) => [`${keyOf(entry.address)} ${entry.reason} ${entry.list ?? ''}`, toldOf(entry, keyOf(entry.address), now)]))
    await this.#write(tenant, { add: [...told.values()], remove: [] })
  }

  /** How many of the addresses stood there. */
  async remove(tenant: string, addresses: readonly string[], list?: string): Promise<number> {
    const known = addresses.map((address): TakenOff => ({ address: keyOf(address), list: list ?? null })).filter((off) => this.#index.isOn(tenant, off))
    if (known.length > 0) await this.#write(tenant, { add: [], remove: known })
    return known.length
  }

  /** Ends when a snapshot that is being written is there. */
  async settled(): Promise<void> {
    await this.#snapshot
  }

  async *#live(tenant: string, from: Cursor): AsyncGenerator<{ readonly entry: SuppressionEntry; readonly at: Cursor }> {
    for await (const { seq, body } of this.#bus.scan(STREAM.suppression, subject('suppressionLog', { tenant }), { fromSeq: Math.max(1, from.seq) })) {
      for (const [index, told] of decodeLog(body).add.entries()) {
        if (seq === from.seq && index <= from.index) continue
        if (this.#index.isLive(tenant, seq, told)) yield { entry: entryOf(told), at: { seq, index } }
      }
    }
  }

  #cursorOf(tenant: string, after: string): Cursor | null {
    const [, seq, index] = /^(\d+)\.(\d+)$/.exec(after) ?? []
    if (seq !== undefined) return { seq: Number(seq), index: Number(index) }
    const wheres = this.#index.placesOf(tenant, keyOf(after)).map(({ where }) => where)
    return wheres.length === 0 ? null : { seq: Math.max(...wheres), index: Number.MAX_SAFE_INTEGER }
  }

  async #write(tenant: string, message: LogMessage): Promise<void> {
    const before = this.#turn
    const storing = this.#bus.store(subject('suppressionLog', { tenant }), encodeLog(message))
    const mine = Promise.allSettled([storing, before]).then(async () => {
      const stored = await storing
      if (stored.kind === 'refused') throw new Infrastructure('unavailable', `suppression of ${tenant} refused: ${stored.code} ${stored.message}`)
      this.#apply(tenant, stored.seq, message)
    })
    this.#turn = mine.catch(() => {}) // its caller hears of it; the next one only waits
    await mine
    this.#saveWhenDue()
  }

  #apply(tenant: string, seq: number, message: LogMessage): void {
    this.#index.apply(tenant, seq, message)
    this.#position = seq
    this.#since = { entries: this.#since.entries + message.add.length, messages: this.#since.messages + 1 }
  }

  #saveWhenDue(): void {
    const due = this.#since.entries >= SNAPSHOT_AFTER.entries || this.#since.messages >= SNAPSHOT_AFTER.messages
    if (due && this.#snapshot === null) this.#snapshot = this.save().finally(() => (this.#snapshot = null))
  }

  /** Writes a snapshot now. What is added meanwhile may be in it or not: the log says it again, and saying it twice changes nothing. */
  async save(): Promise<void> {
    const position = this.#position
    this.#since = { entries: 0, messages: 0 }
    try {
      await writeSnapshot(openObjects(this.#bus, OBJECT_BUCKET), SUPPRESSION_SNAPSHOT, this.#index, position)
      this.#log?.info('suppression snapshot written', { entries: this.#index.size, position })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#log?.warn('suppression snapshot delayed', { error: error.message })
    }
  }
}

function keyOf(address: string): string {
  return normaliseAddress(address) ?? address
}

function freshIndex(): SuppressionIndex {
  const key = randomBytes(8)
  return new SuppressionIndex([key.readUInt32LE(0), key.readUInt32LE(4)])
}
