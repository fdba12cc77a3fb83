import { randomUUID } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import type { CampaignRecord, TallyRecord } from '../../protocol/messages/campaign.ts'
import type { ExpansionCursor } from '../../protocol/messages/mail.ts'
import type { CampaignState, EpochMs, MonoMs } from '../../protocol/words.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import type { Sample } from './policy/sample.ts'
import { Tally } from './state.ts'
import { UnderWay } from './under-way.ts'

/** A batch that was written and not yet released. */
export interface WaitingBatch {
  readonly seq: number
  readonly count: number
}

/** A campaign's unreleased batches of one site, oldest first. */
export interface SiteQueue {
  readonly site: string
  readonly provider: string | null
  readonly shard: string
  readonly batches: WaitingBatch[]
  /** last sequence of `cursor.<campaign>.<site>`, 0 = none: what the next release expects */
  cursorSeq: number
  /** how much of the site's recipients went first, and whether the rest may follow */
  readonly sample: Sample
}

/** A campaign that has not ended, as this scheduler knows it. */
export interface Running {
  record: CampaignRecord
  revision: number
  readonly tally: Tally
  expansion: ExpansionCursor
  /** last sequence of `cursor.<campaign>`, 0 = none */
  expansionSeq: number
  readonly queues: Map<string, SiteQueue>
  /** what was released and has no outcome yet */
  readonly underWay: UnderWay
  /** recipients the campaign's `rate` allows right now, and when that was true */
  rate: { allowed: number; at: number }
  changed: boolean
  /** the tally as it was saved last with its bits */
  saved: TallyRecord
  /** a large tally takes long to save: not before this moment of the process's clock */
  saveAfter: MonoMs
  /** ends when whoever cuts or reads batches of this campaign has done */
  turn: Promise<void>
  /** how often its queues are being read again: nothing is released from them meanwhile */
  restores: number
}

export const NOTHING_READ: ExpansionCursor = { position: 0, listRead: 0, recipients: 0, duplicates: 0, unusable: 0, batches: 0, done: false }

/** the server takes 8 MB a message */
const RECORD_BYTES = 7_000_000
/** saving takes at most one part in so many of the time */
const SAVE_SHARE = 20
/** records asked for side by side when a term begins */
const LOOKED_UP_AT_ONCE = 64

/** An ended campaign's id is remembered so long (design §4: idempotent ids). */
const REMEMBERED_S = 30 * 86_400

export const ENDED: ReadonlySet<CampaignState> = new Set(['finished', 'cancelled', 'rejected'])

/** The campaigns at work, by name; each one's record is saved by compare-and-set, so that an old owner cannot write over a new one's. */
export class Campaigns {
  readonly #bucket: Bucket
  readonly #log: Log
  readonly #running = new Map<string, Running>()
  readonly #saving = new Map<string, Promise<void>>()
  /** campaigns at work whose record counts something that came back and may not be durable yet */
  readonly #withFeedback = new Set<Running>()
  readonly #onFenced: (name: string) => void
  readonly #term = randomUUID()

  constructor(options: { bucket: Bucket; log: Log; onFenced: (name: string) => void }) {
    this.#bucket = options.bucket
    this.#log = options.log
    this.#onFenced = options.onFenced
  }

  get(tenant: string, id: string): Running | undefined {
    return this.#running.get(campaignName({ tenant, id }))
  }

  all(): IterableIterator<Running> {
    return this.#running.values()
  }

  get size(): number {
    return this.#running.size
  }

  /** The record as it rests: also of campaigns that have ended. */
  async lookUp(tenant: string, id: string): Promise<CampaignRecord | null> {
    const running = this.get(tenant, id)
    if (running) return running.record
    const kept = await this.#bucket.get(KEYS.campaign(tenant, id))
    return kept && decode<CampaignRecord>(kept.value)
  }

  /** All campaigns that have not ended, and the records of those that ended since `endedSince`: something may be left of them. */
  async load(endedSince: EpochMs): Promise<{ readonly running: readonly Running[]; readonly ended: readonly CampaignRecord[] }> {
    const running: Running[] = []
    const ended: CampaignRecord[] = []
    const keys = await this.#bucket.keys(KEYS.campaigns)
    for (let at = 0; at < keys.length; at += LOOKED_UP_AT_ONCE) {
      for (const kept of await Promise.all(keys.slice(at, at + LOOKED_UP_AT_ONCE).map((key) => this.#bucket.get(key)))) {
        if (kept === null) continue
        const record = decode<CampaignRecord>(kept.value)
        if (!ENDED.has(record.state)) running.push(this.#adopt(record, kept.revision))
        else if ((record.finishedAt ?? 0) >= endedSince) ended.push(record)
      }
    }
    return { running, ended }
  }

  /** A campaign whose record is durable although nobody was told: the answer to its creation was lost. Null: it has ended, or is none. */
  async takeUp(tenant: string, id: string): Promise<Running | null> {
    const kept = await this.#bucket.get(KEYS.campaign(tenant, id))
    const known = this.get(tenant, id)
    if (known || kept === null) return known ?? null
    const record = decode<CampaignRecord>(kept.value)
    return ENDED.has(record.state) ? null : this.#adopt(record, kept.revision)
  }

  /** Takes a campaign in: its record is durable when this resolves. Null: the id is taken (somebody was faster). */
  async create(record: CampaignRecord): Promise<Running | null> {
    const key = KEYS.campaign(record.tenant, record.id)
    const kept = await this.#bucket.get(key)
    if (kept !== null && decode<CampaignRecord>(kept.value).state !== 'rejected') return null
    const body = encode({ ...record, term: this.#term })
    const revision = kept === null ? await this.#bucket.create(key, body) : await this.#bucket.update(key, body, kept.revision)
    return revision === null ? null : this.#adopt(record, revision)
  }

  /** A rejected job's record, so that its status can be asked; never over a record of a campaign that was accepted. */
  async remember(record: CampaignRecord): Promise<void> {
    const key = KEYS.campaign(record.tenant, record.id)
    const kept = await this.#bucket.get(key)
    if (kept === null) await this.#bucket.create(key, encode(record), { ttlS: REMEMBERED_S })
    else if (decode<CampaignRecord>(kept.value).state === 'rejected') await this.#bucket.update(key, encode(record), kept.revision, { ttlS: REMEMBERED_S })
  }

  /** Changes a record and saves it; resolves when it is durable. An ended campaign is let go. */
  async change(running: Running, change: Partial<CampaignRecord>): Promise<void> {
    running.record = { ...running.record, ...change }
    running.changed = true
    await this.save(running)
  }

  /** Saves the record with the tally as it stands; one write at a time per campaign. */
  async save(running: Running): Promise<void> {
    const name = campaignName(running.record)
    for (let earlier = this.#saving.get(name); earlier; earlier = this.#saving.get(name)) await earlier
    if (!running.changed) return
    const saving = this.#write(running).finally(() => this.#saving.delete(name))
    this.#saving.set(name, saving)
    await saving
  }

  /** The ids of a tenant's campaigns that are remembered. */
  async idsOf(tenant: string): Promise<readonly string[]> {
    const prefix = KEYS.campaign(tenant, '')
    return (await this.#bucket.keys(KEYS.campaign(tenant, '*'))).map((key) => key.slice(prefix.length))
  }

  /**
   * Counts what came back about a campaign, at work or ended. `counts` by the sequence that told it; what the record has counted already is passed over.
   * Of a campaign at work it is durable with the next save (`saveFeedback`).
   */
  async countFeedback(
    tenant: string,
    id: string,
    counts: readonly { readonly seq: number; readonly count: keyof FeedbackCounts }[],
    upTo: number,
  ): Promise<void> {
    const name = campaignName({ tenant, id })
    for (let earlier = this.#saving.get(name); earlier; earlier = this.#saving.get(name)) await earlier.catch(() => {}) // its own caller hears of it
    const running = this.get(tenant, id)
    if (running) {
      running.record = withFeedback(running.record, counts, upTo)
      running.changed = true
      this.#withFeedback.add(running)
      return
    }
    for (;;) {
      const kept = await this.#bucket.get(KEYS.campaign(tenant, id))
      if (kept === null) return // it was forgotten meanwhile
      const record = decode<CampaignRecord>(kept.value)
      const leftS = Math.ceil(((record.finishedAt ?? record.acceptedAt) + REMEMBERED_S * 1_000 - Date.now()) / 1_000)
      const counted = withFeedback(record, counts, upTo)
      if ((await this.#bucket.update(KEYS.campaign(tenant, id), encode(counted), kept.revision, { ttlS: Math.max(1, leftS) })) !== null) return
    }
  }

  /** Makes durable what came back about campaigns at work. False: a large tally is not to be saved yet. */
  async saveFeedback(): Promise<boolean> {
    for (const running of [...this.#withFeedback]) {
      if (running.changed && performance.now() < running.saveAfter) return false
      await this.save(running)
      this.#withFeedback.delete(running)
    }
    return true
  }

  async #write(running: Running): Promise<void> {
    running.changed = false
    const ended = ENDED.has(running.record.state)
    const { tally, expansion } = running
    const counted = { ...running.record.tally, ...tally.counts, position: tally.position }
    running.record = { ...running.record, term: this.#term, expansion: ended ? expansion : null, tally: counted }
    const body = ended ? encode(running.record) : this.#bodyWithBits(running)
    const key = KEYS.campaign(running.record.tenant, running.record.id)
    try {
      const revision = await this.#bucket.update(key, body, running.revision, ended ? { ttlS: REMEMBERED_S } : {})
      if (revision === null) await this.#stale(running, key)
      else running.revision = revision
    } catch (error) {
      running.changed = true
      throw error
    }
    if (ended) this.#running.delete(campaignName(running.record))
  }

  /** The record with the tally's bits. Where they are too large for one message the last ones stand, with their position: a restart counts on from there. */
  #bodyWithBits(running: Running): Uint8Array {
    const { record } = running
    const began = performance.now()
    const tally = { ...record.tally, bits: deflateRawSync(running.tally.packed(), { level: 1 }) }
    const body = encode({ ...record, tally })
    running.saveAfter = performance.now() + (performance.now() - began) * SAVE_SHARE
    if (body.length <= RECORD_BYTES) {
      running.saved = tally
      return body
    }
    this.#log.warn('tally too large', { campaign: campaignName(record), bytes: body.length, position: running.saved.position })
    const { bouncedLater, complained, unsubscribed, feedback } = record.tally
    return encode({ ...record, tally: { ...running.saved, bouncedLater, complained, unsubscribed, ...(feedback !== undefined && { feedback }) } })
  }

  /** Not our last revision: either our own write whose answer was lost, or another owner's. */
  async #stale(running: Running, key: string): Promise<void> {
    const kept = await this.#bucket.get(key)
    if (kept && decode<CampaignRecord>(kept.value).term === this.#term) {
      running.revision = kept.revision
      running.changed = true
      throw new Infrastructure('unavailable', `record of ${key} had moved on; it is written again`)
    }
    this.#log.error('record fenced', { key })
    this.#onFenced(key)
  }

  #adopt(record: CampaignRecord, revision: number): Running {
    const { bits, ...counted } = record.tally
    const { position, delivered, unconfirmed, bounced, expired, suppressed, cancelled, mayBeDuplicate } = counted
    const counts = { delivered, unconfirmed, bounced, expired, suppressed, cancelled, mayBeDuplicate }
    const tally = Tally.restore(position, counts, bits === undefined ? null : inflateRawSync(bits))
    const running: Running = {
      record: { ...record, tally: counted },
      revision,
      tally,
      underWay: new UnderWay(tally),
      saved: record.tally,
      saveAfter: 0,
      expansion: NOTHING_READ,
      expansionSeq: 0,
      queues: new Map(),
      rate: { allowed: 0, at: 0 },
      changed: false,
      turn: Promise.resolve(),
      restores: 0,
    }
    this.#running.set(campaignName(record), running)
    return running
  }
}

export type FeedbackCounts = Pick<TallyRecord, 'bouncedLater' | 'complained' | 'unsubscribed'>

function withFeedback(record: CampaignRecord, counts: readonly { readonly seq: number; readonly count: keyof FeedbackCounts }[], upTo: number): CampaignRecord {
  const tally = { ...record.tally }
  const before = tally.feedback ?? 0
  for (const { seq, count } of counts) if (seq > before) tally[count]++
  return { ...record, tally: { ...tally, feedback: Math.max(before, upTo) } }
}
