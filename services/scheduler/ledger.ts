import { campaignName } from '../../protocol/ids.ts'
import type { SuppressionEntry } from '../../protocol/messages/ops.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { readSubject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Follow } from '../runtime/bus/types.ts'
import type { Log } from '../runtime/log.ts'
import type { Campaigns, Running } from './campaigns.ts'

export interface LedgerOptions {
  readonly bus: Bus
  readonly log: Log
  readonly campaigns: Campaigns
  /** counts changed: perhaps the campaign is finished */
  readonly onCounted: (running: Running) => void
  /** addresses whose outcome says that they do not exist */
  readonly onUnknownUsers: (tenant: string, entries: readonly SuppressionEntry[]) => void
}

/** Reads the journal from the oldest position any campaign needs, and counts each chunk once: what a record's tally already holds is passed over. */
export class Ledger implements Disposable {
  readonly #follow: Follow
  readonly #options: LedgerOptions

  /** `endSeq`: last sequence of the stream now; nothing older concerns campaigns that are yet to come. */
  constructor(options: LedgerOptions & { readonly endSeq: number }) {
    this.#options = options
    const from = Math.min(options.endSeq, ...[...options.campaigns.all()].map(({ tally }) => tally.position))
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
      if (!running || message.seq <= running.tally.position) continue
      const chunk = read(message.body)
      if (chunk === null) {
        this.#options.log.error('outcomes unreadable', { subject: message.subject, seq: message.seq })
        continue
      }
      this.#count(running, chunk, message.seq)
    }
  }

  #count(running: Running, chunk: OutcomeChunk, seq: number): void {
    const unknown: SuppressionEntry[] = []
    for (const outcome of chunk.outcomes) {
      const counted = running.tally.count(chunk.batch, outcome, outcome.until === undefined ? null : Date.parse(outcome.until))
      if (counted && outcome.outcome === 'bounced' && outcome.class === 'unknown-user' && outcome.stage !== null) {
        unknown.push({
          address: outcome.rcpt,
          reason: 'unknown-user',
          since: chunk.at,
          reply: `${outcome.code ?? ''} ${outcome.reply ?? ''}`.trim().slice(0, 500),
        })
      }
    }
    running.underWay.counted(chunk.batch)
    running.tally.position = seq
    running.changed = true
    this.#options.log.debug('counted', { campaign: campaignName(running.record), batch: chunk.batch, outcomes: chunk.outcomes.length })
    if (unknown.length > 0) this.#options.onUnknownUsers(chunk.tenant, unknown)
    this.#options.onCounted(running)
  }
}

function read(body: Uint8Array): OutcomeChunk | null {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as OutcomeChunk
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
