import type { Problem } from '../../protocol/campaign.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { bury } from './burial.ts'
import { type Campaigns, ENDED, type Running } from './campaigns.ts'
import type { CampaignEvents } from './events.ts'
import { restoreQueues } from './restore.ts'
import { again, type Trouble } from './trouble.ts'
import { writeOff } from './write-off.ts'

export interface EndingsOptions {
  readonly bus: Bus
  readonly bucket: Bucket
  readonly log: Log
  readonly campaigns: Campaigns
  readonly events: CampaignEvents
  readonly now: () => number
  readonly stopping: () => boolean
  /** is its list still being read? */
  readonly isReading: (running: Running) => boolean
  /** what was released of it is to be cancelled */
  readonly cancelReleased: (running: Running) => Promise<void>
  readonly onEnded: () => void
  readonly trouble: Trouble
}

/** How campaigns come to their end: by their counts, by a cancel, or because their list cannot be sent. Each ends once, when nobody waits and nobody is to come. */
export class Endings implements AsyncDisposable {
  readonly #options: EndingsOptions
  readonly #ending = new Set<Running>()
  readonly #writingOff = new Map<Running, Promise<void>>()

  constructor(options: EndingsOptions) {
    this.#options = options
  }

  /** It may be over: its counts or its list have changed. */
  settle(running: Running): void {
    const { stopping, isReading } = this.#options
    const { record, expansion, tally } = running
    if (ENDED.has(record.state) || this.#ending.has(running) || stopping()) return
    const nothingWaits = expansion.recipients === tally.settled && !isReading(running)
    if (!nothingWaits || (!expansion.done && record.state !== 'cancelling')) return
    this.#ending.add(running)
    void again(() => this.#end(running, record.state === 'cancelling' ? 'cancelled' : 'finished', record.problems)).finally(() => this.#ending.delete(running))
  }

  /** What a cancelled campaign has not released never becomes an order. */
  cancelRest(running: Running): void {
    const { bus, log, now, stopping, trouble } = this.#options
    if (this.#writingOff.has(running) || stopping()) return
    const working = writeOff(running, { bus, log, now, stopping })
      .catch((error: unknown) => {
        trouble('cancel', running)(error)
        if (!stopping()) return again(() => restoreQueues(bus, running)) // the sweep asks again
      })
      .finally(() => this.#writingOff.delete(running))
    this.#writingOff.set(running, working)
  }

  /** A list that cannot be sent: before anything of it was. */
  async refuse(running: Running, problems: readonly Problem[]): Promise<void> {
    const { campaigns, events, cancelReleased } = this.#options
    await again(() => events.rejected(running.record.tenant, running.record.id, running.record.job, problems))
    if (running.expansionSeq === 0) return this.#end(running, 'rejected', problems)
    await again(() => campaigns.change(running, { state: 'cancelling', before: null, problems: problems.slice(0, 100) }))
    await again(() => cancelReleased(running))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writingOff.values())
  }

  async #end(running: Running, state: 'finished' | 'cancelled' | 'rejected', problems: readonly Problem[]): Promise<void> {
    const { bus, bucket, campaigns, events, now, onEnded } = this.#options
    await campaigns.change(running, { state, finishedAt: now(), problems })
    await bury(running.record, { bus, bucket, events })
    onEnded()
  }
}
