import { campaignName } from '../../protocol/ids.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { readSubject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Follow } from '../runtime/bus/types.ts'
import type { Log } from '../runtime/log.ts'
import type { Campaigns, Running } from './campaigns.ts'
import type { HygieneKeeper } from './hygiene-keeper.ts'

export interface LedgerOptions {
  readonly bus: Bus
  readonly log: Log
  readonly campaigns: Campaigns
  /** counts changed: perhaps the campaign is finished */
  readonly onCounted: (running: Running) => void
  /** what outcomes mean beyond their campaign; hears each chunk once, also of campaigns that have ended */
  readonly hygiene: Pick<HygieneKeeper, 'position' | 'heard'>
}

/** Reads the journal from the oldest position any campaign needs, and counts each chunk once: what a record's tally already holds is passed over. */
export class Ledger implements Disposable {
  readonly #follow: Follow
  readonly #options: LedgerOptions

  /** `endSeq`: last sequence of the stream now; nothing older concerns campaigns that are yet to come. */
  constructor(options: LedgerOptions & { readonly endSeq: number }) {
    this.#options = options
    const from = Math.min(options.endSeq, options.hygiene.position, ...[...options.campaigns.all()].map(({ tally }) => tally.position))
    this.#follow = options.bus.follow(STREAM.outcomes, [wildcard('outcome')], { fromSeq: from + 1 })
    void this.#read()
  }

  /** Everything that was in the journal when this began has been counted. */
  get caughtUp(): Promise<void> {
    return this.#follow.caughtUp
  }

  /** Last sequence counted: a campaign that is taken in now has nothing before it. */
  get position(): number {
    return this.#follow.lastSeq
  }

  [Symbol.dispose](): void {
    this.#follow.close()
  }

  async #read(): Promise<void> {
    for await (const message of this.#follow) {
      const names = readSubject('outcome', message.subject)
      const running = names && this.#options.campaigns.get(names.tenant, names.campaign)
      const counts = running ? message.seq > running.tally.position : false
      const { hygiene } = this.#options
      if (!counts && message.seq <= hygiene.position) continue
      const chunk = read(message.body)
      if (chunk === null) {
        this.#options.log.error('outcomes unreadable', { subject: message.subject, seq: message.seq })
        continue
      }
      hygiene.heard(chunk, message.seq)
      if (running && counts) this.#count(running, chunk, message.seq)
    }
  }

  #count(running: Running, chunk: OutcomeChunk, seq: number): void {
    for (const outcome of chunk.outcomes) running.tally.count(chunk.batch, outcome, outcome.until === undefined ? null : Date.parse(outcome.until))
    running.underWay.counted(chunk.batch)
    running.tally.position = seq
    running.changed = true
    this.#options.log.debug('counted', { campaign: campaignName(running.record), batch: chunk.batch, outcomes: chunk.outcomes.length })
    this.#options.onCounted(running)
  }
}

const UTF8 = new TextDecoder()
function read(body: Uint8Array): OutcomeChunk | null {
  try {
    return JSON.parse(UTF8.decode(body)) as OutcomeChunk
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
