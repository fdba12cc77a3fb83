import { encodeJson } from '../../protocol/codec.ts'
import { LIMITS, type Problem } from '../../protocol/campaign.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import type { CampaignEvent, CampaignEventType, CampaignStatus } from '../../protocol/messages/campaign.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'

/** The id under which jobs are spoken of that nobody can read. */
export const UNREADABLE = 'unreadable'

/** campaign.events: one function a fact; each is also one line in the log. */
export class CampaignEvents {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #log: Log

  constructor(options: { bus: Bus; clock: Clock; log: Log }) {
    this.#bus = options.bus
    this.#clock = options.clock
    this.#log = options.log
  }

  accepted(status: CampaignStatus, ofPublish: number, problems: readonly Problem[] = []): Promise<void> {
    return this.#tell('accepted', status.tenant, status.id, ofPublish, problems, status)
  }
  rejected(tenant: string, id: string | null, ofPublish: number, problems: readonly Problem[]): Promise<void> {
    return this.#tell('rejected', tenant, id ?? UNREADABLE, ofPublish, problems, {})
  }
  progress(status: CampaignStatus, ofPublish: number, problems: readonly Problem[]): Promise<void> {
    return this.#tell('progress', status.tenant, status.id, ofPublish, problems, status)
  }
  changed(
    type: 'paused' | 'resumed' | 'cancelled' | 'finished',
    status: CampaignStatus,
    ofPublish: number,
    problems: readonly Problem[],
    at: Pick<CampaignEvent, 'site' | 'because'> = {},
  ): Promise<void> {
    return this.#tell(type, status.tenant, status.id, ofPublish, problems, { ...status, ...at })
  }

  async #tell(
    type: CampaignEventType,
    tenant: string,
    id: string,
    ofPublish: number,
    problems: readonly Problem[],
    counts: Partial<CampaignStatus> & Pick<CampaignEvent, 'site' | 'because'>,
  ): Promise<void> {
    const { id: _id, tenant: _tenant, ...rest } = counts
    const event: CampaignEvent = { ...rest, type, id, tenant, ofPublish, at: rfc3339(this.#clock.now()), problems: cut(problems) }
    const [first] = problems
    this.#log.info(`campaign ${type}`, {
      campaign: `${tenant}/${id}`,
      ofPublish,
      ...(counts.site !== undefined && { site: counts.site }),
      ...(counts.because !== undefined && { because: counts.because }),
      problems: problems.length,
      ...(first && { first: `${first.path}: ${first.message}` }),
    })
    const named = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : UNREADABLE
    // What is told twice after a crash is told once: by its number within the stream's window.
    const msgId =
      type === 'progress'
        ? undefined
        : `${tenant}/${id}/${type}/${ofPublish}/${type === 'paused' || type === 'resumed' ? `${event.at}${counts.site ?? ''}` : ''}`
    try {
      await this.#bus.store(subject('campaignEvent', { tenant, id: named }), encodeJson(event), msgId === undefined ? {} : { msgId })
    } catch (error) {
      if (!(error instanceof Infrastructure) || type !== 'progress') throw error
      this.#log.warn('progress untold', { campaign: `${tenant}/${id}`, error: error.message })
    }
  }
}

/** The first thousand, then a count. */
function cut(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= LIMITS.problems) return problems
  return [...problems.slice(0, LIMITS.problems), { path: '', message: `and ${problems.length - LIMITS.problems} more` }]
}
