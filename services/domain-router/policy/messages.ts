import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import type { ErrorAnswer, IspControl, IspStatus } from '../../../protocol/messages/ops.ts'
import type {
  AllowanceAsk,
  Allowances,
  CampaignHeld,
  Drain,
  Grant,
  GrantAnswer,
  Holdings,
  HoldingsAsk,
  Report,
  ReportAnswer,
  SenderHere,
  SourceChanged,
} from '../../../protocol/messages/permission.ts'
import type { EpochMs, ReplyClass } from '../../../protocol/words.ts'
import type { LeaseMode } from '../held-lease.ts'
import type { Action } from '../state.ts'
import type { Network } from './network.ts'
import type { Window } from './window.ts'

/** What reaches a shard. */
export type Heard =
  | { readonly on: 'gained'; readonly epoch: number; readonly memory: Memory | null }
  | { readonly on: 'released' } // politely: another shall have it
  | { readonly on: 'lost' }
  | { readonly on: 'ordersArrived'; readonly orders: readonly HeldOrder[] }
  | { readonly on: 'senderHere'; readonly here: SenderHere }
  | { readonly on: 'report'; readonly report: Report }
  /** `orders`: the grant's; the answer may be later than `GRANT_TIMEOUT_MS` */
  | { readonly on: 'grantAnswered'; readonly lease: string; readonly orders: readonly HeldOrder[]; readonly answer: GrantAnswer }
  | { readonly on: 'grantTimedOut'; readonly lease: string; readonly orders: readonly HeldOrder[] } // no answer will be heard any more
  | { readonly on: 'holdingsAnswered'; readonly holdings: Holdings }
  | { readonly on: 'holdingsTimedOut'; readonly sender: string }
  | { readonly on: 'allowances'; readonly allowances: Allowances; readonly asked: AllowanceAsk['sites'] }
  | { readonly on: 'sourceChanged'; readonly changed: SourceChanged }
  | { readonly on: 'campaignHeld'; readonly held: CampaignHeld }
  | { readonly on: 'ispControl'; readonly site: string; readonly control: IspControl }
  | { readonly on: 'statusAsked'; readonly site: string | null }
  | { readonly on: 'fleetChanged'; readonly network: Network }
  | { readonly on: 'saved'; readonly holders: readonly string[] }
  | { readonly on: 'saveFailed' }
  | { readonly on: 'tick' }

/** What a shard wants done. The shell does it and brings the answer as the next `Heard`. */
export type Say =
  | { readonly say: 'grant'; readonly sender: string; readonly grant: Grant }
  | { readonly say: 'answerReport'; readonly answer: ReportAnswer }
  | { readonly say: 'answerControl'; readonly answer: ControlAnswer | ErrorAnswer }
  | { readonly say: 'answerStatus'; readonly sites: IspStatus['sites'] }
  | { readonly say: 'askHoldings'; readonly sender: string; readonly ask: HoldingsAsk }
  | { readonly say: 'askAllowances'; readonly ask: AllowanceAsk }
  /** still at it: +WPI */
  | { readonly say: 'touch'; readonly held: HeldOrder }
  /** to the schedule, due at `at`; durable first, then its ack. `at` null = to the scheduler at once */
  | { readonly say: 'park'; readonly held: HeldOrder; readonly at: EpochMs | null; readonly because: ReplyClass }
  | { readonly say: 'drain'; readonly drain: Drain }
  | { readonly say: 'save'; readonly memory: Memory }
  | { readonly say: 'event'; readonly event: RouterEvent }

export interface ControlAnswer {
  readonly ok: true
  readonly id: string | null
  readonly until: string | null
}

/** Decisions that matter, one line each (events.ts). */
export type RouterEvent =
  | {
      readonly event: 'granted'
      readonly lease: string
      readonly sender: string
      readonly site: string
      readonly ip: string
      readonly sessions: number
      readonly pacePerS: number
    }
  | {
      readonly event: 'grantRefused'
      readonly lease: string
      readonly sender: string
      readonly site: string
      readonly ip: string
      readonly because: string
      readonly orders: number
    }
  | { readonly event: 'grantUnanswered'; readonly lease: string; readonly sender: string; readonly site: string; readonly ip: string; readonly orders: number }
  | {
      readonly event: 'ended'
      readonly lease: string
      readonly sender: string
      readonly site: string
      readonly ip: string
      readonly was: LeaseMode
      readonly because: string
      readonly orders: number
    }
  | {
      readonly event: 'adopted'
      readonly lease: string
      readonly sender: string
      readonly site: string
      readonly ip: string
      readonly sessions: number
      readonly orders: number
    }
  | { readonly event: 'adoptionDone'; readonly asked: number; readonly silent: readonly string[]; readonly leases: number }
  | {
      readonly event: 'rested'
      readonly site: string
      readonly ip: string | null
      readonly because: string
      readonly until: string
      readonly reply: string | null
    }
  | {
      readonly event: 'senderRested'
      readonly site: string
      readonly from: string
      readonly because: string
      readonly until: string
      readonly reply: string | null
    }
  | { readonly event: 'parked'; readonly site: string; readonly pool: string; readonly because: string; readonly until: string; readonly orders: number }
  | { readonly event: 'sourceStopped'; readonly site: string; readonly ip: string; readonly because: string; readonly leases: number }
  | {
      readonly event: 'actionTaken'
      readonly site: string
      readonly id: string | null
      readonly action: string
      readonly by: string
      readonly until: string | null
    }
  | { readonly event: 'actionOver'; readonly site: string; readonly id: string; readonly action: string }

/** `KEYS.siteMemory(shard)`: what outlives an owner. */
export interface Memory {
  readonly v: 1
  readonly actions: readonly (Action & { readonly site: string })[]
  readonly pairs: readonly { readonly site: string; readonly ip: string; readonly at: EpochMs; readonly window: Window }[]
  /** senders that held a lease: a new owner waits for their word */
  readonly holders: readonly string[]
}
