import type { Problem } from '../../protocol/campaign.ts'
import { campaignName } from '../../protocol/ids.ts'
import { Infrastructure, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Running } from './campaigns.ts'
import type { CampaignEvents } from './events.ts'
import { ExpansionInterrupted } from './commit.ts'
import { expand, type ExpansionTools } from './expansion.ts'
import { restoreQueues } from './restore.ts'
import type { statusOf } from './status.ts'

/** progress of a list that is being read is told at most so often */
const PROGRESS_MS = 1_000

export interface ExpansionsOptions extends Omit<ExpansionTools, 'onProgress' | 'stopping'> {
  readonly events: CampaignEvents
  readonly status: (running: Running) => ReturnType<typeof statusOf>
  /** lists that are read side by side */
  readonly atOnce: number
  /** repeats what only the network hinders */
  readonly again: <T>(act: () => Promise<T>) => Promise<T>
  /** a list that cannot be sent */
  readonly refuse: (running: Running, problems: readonly Problem[]) => Promise<void>
  /** a list's end is known, or it waits for another term */
  readonly onEnded: (running: Running) => void
}

/** Which lists are being read, and which wait for their turn: urgent campaigns before bulk ones. */
export class Expansions implements Disposable {
  readonly #options: ExpansionsOptions
  readonly #reading = new Set<Running>()
  readonly #waiting: Running[] = []
  readonly #problems = new WeakMap<Running, readonly Problem[]>()
  readonly #toldAt = new WeakMap<Running, number>()
  #stopping = false

  constructor(options: ExpansionsOptions) {
    this.#options = options
  }

  has(running: Running): boolean {
    return this.#reading.has(running) || this.#waiting.includes(running)
  }

  add(running: Running): void {
    this.#waiting.push(running)
    this.#waiting.sort((a, b) => Number(a.record.lane === 'bulk') - Number(b.record.lane === 'bulk'))
  }

  /** Begins as many as may be read at once. */
  begin(): void {
    while (this.#reading.size < this.#options.atOnce && this.#waiting.length > 0 && !this.#stopping) {
      const running = this.#waiting.shift() as Running
      this.#reading.add(running)
      void this.#readWhole(running).finally(() => {
        this.#reading.delete(running)
        this.#options.onEnded(running)
        this.begin()
      })
    }
  }

  [Symbol.dispose](): void {
    this.#stopping = true
  }

  async #readWhole(running: Running): Promise<void> {
    const { bus, log, campaigns, again, refuse } = this.#options
    for (;;) {
      try {
        const expanded = await expand(running, {
          ...this.#options,
          stopping: () => this.#stopping,
          onProgress: (of, problems) => this.#tell(of, problems),
        })
        if (expanded.kind === 'refused') await refuse(running, expanded.problems)
        else if (expanded.kind === 'done' && running.record.state === 'counting')
          await again(() => campaigns.change(running, { state: 'running', problems: this.#problems.get(running)?.slice(0, 100) ?? [] }))
        return
      } catch (error) {
        if (!(error instanceof Infrastructure) && !(error instanceof ExpansionInterrupted)) throw error
        if (this.#stopping) return
        log.warn('expansion interrupted', { campaign: campaignName(running.record), error: error.message })
        await new Promise((resolve) => setTimeout(resolve, RETRY_PACE_MS.unavailable))
        await again(() => restoreQueues(bus, running))
      }
    }
  }

  async #tell(running: Running, problems: readonly Problem[]): Promise<void> {
    const { now, events, status } = this.#options
    this.#problems.set(running, problems)
    if (!running.expansion.done && now() - (this.#toldAt.get(running) ?? 0) < PROGRESS_MS) return // the last word is always told
    this.#toldAt.set(running, now())
    await events.progress(status(running), running.record.job, problems)
  }
}
