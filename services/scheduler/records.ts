import type { Problem } from '../../protocol/campaign.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import { NOTHING_READ } from './campaigns.ts'

export const NO_TALLY = {
  position: 0,
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
} as const

/** What every record of a campaign begins with. */
export function emptyRecord(tenant: string, id: string, job: number, now: number) {
  return { v: 1, tenant, id, job, acceptedAt: now, finishedAt: null, problems: [], before: null, expansion: null } as const
}

/** A job that was refused, kept so that its status can be asked. */
export function rejectedRecord(tenant: string, id: string, seq: number, problems: readonly Problem[], now: number): CampaignRecord {
  return {
    ...emptyRecord(tenant, id, seq, now),
    digest: '',
    state: 'rejected',
    kind: 'notice',
    lane: 'bulk',
    pool: '',
    weight: 1,
    rate: null,
    window: null,
    dedupe: 'none',
    content: '',
    list: null,
    listId: null,
    inline: null,
    missing: 'fail',
    test: false,
    startAt: now,
    startedAt: null,
    finishedAt: now,
    deadline: now,
    problems: problems.slice(0, 100),
    expansion: NOTHING_READ,
    tally: NO_TALLY,
  }
}
