import type { EpochMs, IpMode, SourceMode } from '../../../protocol/words.ts'

/** What a decision wants said; the shell says it (events.ts). */
export type Say =
  /** an IP, or an IP at a site, changed its mode: log and `ip.events` */
  | {
      readonly say: 'mode'
      readonly ip: string
      readonly site: string | null
      readonly from: SourceMode | IpMode
      readonly to: SourceMode | IpMode
      readonly because: string
      readonly until: EpochMs | null
      readonly at: EpochMs
      readonly reply: string | null
    }
  /** it stopped or resumed lending: routers and senders must know within a second (S5) */
  | {
      readonly say: 'changed'
      readonly ip: string
      readonly site: string | null
      readonly lends: boolean
      readonly because: string
      readonly until: EpochMs | null
    }
  /** an IP's way out is not as the fleet says; it goes on serving */
  | { readonly say: 'trouble'; readonly ip: string; readonly because: string; readonly detail: string }
  /** a block list names one of our IPs, or no longer */
  | {
      readonly say: 'listing'
      readonly zone: string
      readonly ip: string
      readonly listed: boolean
      readonly code: string | null
      readonly quarantines: boolean
    }
  /** a block list is not believed any more, or again */
  | { readonly say: 'zone'; readonly zone: string; readonly disbelieved: string | null }
  /** a whole pool begins, or ends, to rest at a site */
  | { readonly say: 'pool'; readonly pool: string; readonly site: string; readonly rests: boolean; readonly because: string; readonly until: EpochMs | null }
