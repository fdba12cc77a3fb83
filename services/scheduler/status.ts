import { rfc3339 } from '../../protocol/duration.ts'
import { type CampaignRecord, type CampaignStatus, UNDER_WAY } from '../../protocol/messages/campaign.ts'
import type { EpochMs, MonoMs } from '../../protocol/words.ts'
import type { ExpansionCursor } from '../../protocol/messages/mail.ts'
import { ENDED, NOTHING_READ, type Running } from './campaigns.ts'
import type { Reason } from './under-way.ts'

/** Why a site's recipients wait, asked of whoever releases. */
export interface WhyWaiting {
  why(running: Running, site: string): Reason
  whyUnderWay(running: Running, site: string): Reason
}

/** `campaign.status` of a campaign at work. S1 by construction: waiting is what is read and not settled. */
export function statusOf(running: Running, releaser: WhyWaiting): CampaignStatus {
  const { record, tally, expansion } = running
  return {
    ...told(record, expansion, { ...tally.counts, settled: tally.settled, deferred: tally.deferred }),
    waitingFor: waitingForOf(running, releaser),
  }
}

/** The reasons of a campaign to ten thousand sites are summed over its batches: whoever asks often is told what was so a moment ago, for so many times what it took. */
const ANSWER_SHARE = 20

/** Answers for whoever asks as often as they like. Counts and reasons are of one moment: they add up (S7). */
export class Statuses {
  readonly #releaser: WhyWaiting
  readonly #mono: () => MonoMs
  readonly #known = new WeakMap<Running, { readonly until: MonoMs; readonly status: CampaignStatus }>()

  constructor(releaser: WhyWaiting, mono: () => MonoMs) {
    this.#releaser = releaser
    this.#mono = mono
  }

  of(running: Running): CampaignStatus {
    const began = this.#mono()
    const known = this.#known.get(running)
    if (known !== undefined && began < known.until && known.status.state === running.record.state) return known.status
    const status = statusOf(running, this.#releaser)
    const now = this.#mono()
    this.#known.set(running, { status, until: now + (now - began) * ANSWER_SHARE })
    return status
  }
}

function waitingForOf(running: Running, releaser: WhyWaiting): CampaignStatus['waitingFor'] {
  const { tally, queues } = running
  const waitingFor: { site: string; count: number; because: string; until: string | null }[] = []
  for (const queue of queues.values()) {
    const count = queue.batches.reduce((sum, batch) => sum + batch.count, 0)
    if (count === 0) continue
    const { because, until } = releaser.why(running, queue.site)
    waitingFor.push({ site: queue.site, count, because, until: time(until) })
  }
  for (const { site, count, because, until } of tally.waiting()) waitingFor.push({ site, count, because, until: time(until) })
  for (const { site, count, because, until } of running.underWay.waiting((site) => releaser.whyUnderWay(running, site)))
    waitingFor.push({ site, count, because, until: time(until) })
  // What somebody may have to look at comes first.
  waitingFor.sort((a, b) => Number(a.because === UNDER_WAY) - Number(b.because === UNDER_WAY) || b.count - a.count)
  return waitingFor.slice(0, 200)
}

/** Of a campaign that has ended (or was rejected): from its record alone. */
export function statusOfRecord(record: CampaignRecord): CampaignStatus {
  const { delivered, bounced, expired, suppressed, cancelled } = record.tally
  const settled = delivered + bounced + expired + suppressed + cancelled
  return { ...told(record, record.expansion ?? NOTHING_READ, { ...record.tally, settled, deferred: 0 }), waitingFor: [] }
}

export function unknownStatus(tenant: string, id: string): Pick<CampaignStatus, 'id' | 'tenant' | 'state'> {
  return { id, tenant, state: 'unknown' }
}

/** A job that is being judged: nothing is read of it yet. */
export function receivedStatus(tenant: string, id: string): CampaignStatus {
  const none = {
    delivered: 0,
    unconfirmed: 0,
    bounced: 0,
    expired: 0,
    suppressed: 0,
    cancelled: 0,
    mayBeDuplicate: 0,
    bouncedLater: 0,
    complained: 0,
    unsubscribed: 0,
  }
  const { listRead, recipients, duplicates, unusable } = NOTHING_READ
  const times = { acceptedAt: null, startedAt: null, finishedAt: null }
  return { id, tenant, state: 'received', recipients, waiting: 0, deferred: 0, duplicates, unusable, listRead, ...none, ...times, waitingFor: [] }
}

function told(
  record: CampaignRecord,
  read: ExpansionCursor,
  counts: Pick<CampaignRecord['tally'], 'delivered' | 'unconfirmed' | 'bounced' | 'expired' | 'suppressed' | 'cancelled' | 'mayBeDuplicate'> & {
    settled: number
    deferred: number
  },
): Omit<CampaignStatus, 'waitingFor'> {
  const { bouncedLater, complained, unsubscribed } = record.tally
  return {
    id: record.id,
    tenant: record.tenant,
    state: record.state,
    recipients: read.recipients,
    delivered: counts.delivered,
    unconfirmed: counts.unconfirmed,
    bounced: counts.bounced,
    expired: counts.expired,
    suppressed: counts.suppressed,
    cancelled: counts.cancelled,
    waiting: read.recipients - counts.settled,
    deferred: counts.deferred,
    duplicates: read.duplicates,
    unusable: read.unusable,
    listRead: read.listRead,
    mayBeDuplicate: counts.mayBeDuplicate,
    bouncedLater,
    complained,
    unsubscribed,
    acceptedAt: time(record.acceptedAt),
    startedAt: time(record.startedAt),
    finishedAt: ENDED.has(record.state) ? time(record.finishedAt) : null,
  }
}

function time(at: EpochMs | null): string | null {
  return at === null ? null : rfc3339(at)
}
