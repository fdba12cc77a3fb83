import type { Campaign, Content, Problem } from '../campaign.ts'
import type { ExpansionCursor } from './mail.ts'
import type { CampaignState, EpochMs, Kind, Lane, ReplyClass } from '../words.ts'

/** The object `content/<digest>`: what all mails of a campaign share. A sender caches it by name, since it never changes. */
export interface CampaignContent {
  readonly v: 1
  readonly tenant: string
  readonly campaign: string
  readonly kind: Kind
  readonly content: Content
  readonly missing: Campaign['missing']
  readonly test: boolean
  /** Date of every mail of the campaign (RFC 5322), so that attempts never differ */
  readonly date: EpochMs
}

/** What rests in bucket `campaigns`, key `campaign.<tenant>.<id>`: everything a new scheduler needs besides the streams. */
export interface CampaignRecord {
  readonly v: 1
  readonly tenant: string
  readonly id: string
  /** sequence in JOBS of the publish that was accepted */
  readonly job: number
  /** sha256 of the campaign as published, base64url: same id, other content is refused */
  readonly digest: string
  readonly state: CampaignState
  readonly kind: Kind
  readonly lane: Lane
  readonly pool: string
  /** domain of the From; absent in records of an older version */
  readonly from?: string
  readonly weight: number
  readonly rate: number | null
  readonly window: Campaign['window'] | null
  readonly dedupe: 'address' | 'ref' | 'none'
  readonly content: string
  readonly list: {
    readonly name: string
    readonly nuid: string
    readonly size: number
    readonly chunks: number
    readonly digest: string
    readonly bucket: string
    readonly format: 'ndjson' | 'csv'
  } | null
  readonly acceptedAt: EpochMs
  readonly startAt: EpochMs
  /** recipients of the job itself; null when they come from `list` */
  readonly inline: number | null
  /** `list.id`: unsubscribes hold this list only */
  readonly listId: string | null
  readonly missing: Campaign['missing']
  readonly test: boolean
  /** absent = no */
  readonly requireTls?: true
  readonly startedAt: EpochMs | null
  readonly finishedAt: EpochMs | null
  readonly deadline: EpochMs
  readonly problems: readonly Problem[]
  /** state before a pause, to go back to; stands until everything that was parked is on its way again */
  readonly before: CampaignState | null
  /** sites at which it is paused, by a breaker or a person, while it goes on elsewhere (delivery.md §7) */
  readonly heldSites?: Readonly<Record<string, HeldSite>>
  /** the term of ownership that wrote this: tells an owner's own write, whose answer was lost, from another owner's */
  readonly term?: string
  readonly tally: TallyRecord
  /** where expansion stood when the campaign ended; before that the cursor in MAIL is the truth */
  readonly expansion: ExpansionCursor | null
}

export interface HeldSite {
  /** the word in `waitingFor` */
  readonly because: string
  /** with the figures, for a person */
  readonly says: string
  readonly at: EpochMs
  /** lifted, and what was parked is being sent on its way again */
  readonly resuming?: true
}

/** The tally with the stream position it is true for (S1 over restarts). */
export interface TallyRecord {
  /** last sequence of OUTCOMES counted */
  readonly position: number
  readonly delivered: number
  readonly unconfirmed: number
  readonly bounced: number
  readonly expired: number
  readonly suppressed: number
  readonly cancelled: number
  readonly mayBeDuplicate: number
  readonly bouncedLater: number
  readonly complained: number
  readonly unsubscribed: number
  /** last sequence of FEEDBACK counted in the three before; absent = none */
  readonly feedback?: number
  /** which recipients, by batch: the scheduler's own form, deflated (RFC 1951); absent once the campaign has ended */
  readonly bits?: Uint8Array
}

/** The answer of `campaign.status` (design §4). */
/** `waitingFor[].because` of recipients that nothing holds up: a router or a sender has them in hand. */
export const UNDER_WAY = 'under-way'

export interface CampaignStatus {
  readonly id: string
  readonly tenant: string
  readonly state: CampaignState | 'unknown'
  readonly recipients: number
  readonly delivered: number
  readonly unconfirmed: number
  readonly bounced: number
  readonly expired: number
  readonly suppressed: number
  readonly cancelled: number
  readonly waiting: number
  readonly deferred: number
  readonly duplicates: number
  readonly unusable: number
  readonly listRead: number
  readonly mayBeDuplicate: number
  readonly bouncedLater: number
  readonly complained: number
  readonly unsubscribed: number
  readonly acceptedAt: string | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly waitingFor: readonly { readonly site: string; readonly count: number; readonly because: ReplyClass | string; readonly until: string | null }[]
}

export type CampaignEventType = 'accepted' | 'rejected' | 'progress' | 'paused' | 'resumed' | 'cancelled' | 'finished'
export interface CampaignEvent extends Partial<Omit<CampaignStatus, 'id' | 'tenant'>> {
  readonly type: CampaignEventType
  readonly id: string
  readonly tenant: string
  /** sequence in JOBS of the publish this speaks of */
  readonly ofPublish: number
  readonly at: string
  readonly problems: readonly Problem[]
  /** `paused`, `resumed`: at this site only; `state` says whether the campaign is paused as a whole */
  readonly site?: string
  /** why it was paused there, with the figures */
  readonly because?: string
}
