import { encode } from '../../protocol/codec.ts'
import type { Complained } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import type { FleetWatch } from '../runtime/fleet-watch.ts'
import { type FeedbackOptions, FeedbackReader } from './feedback.ts'
import { FeedbackPlaces } from './feedback-places.ts'
import type { HygieneKeeper } from './hygiene-keeper.ts'
import type { Sites } from './sites.ts'

/** What came back, heard and told to whom it concerns: who judges mailboxes and campaigns, and who keeps the IPs' reputation. */
export function hearFeedback(
  options: Omit<FeedbackOptions, 'places' | 'isTenant' | 'onTaken'> & {
    readonly fleet: FleetWatch
    readonly sites: Sites
    readonly hygiene: HygieneKeeper
    readonly now: () => number
  },
): Promise<FeedbackReader> {
  const { bus, campaigns, fleet, sites, hygiene, now } = options
  return FeedbackReader.open({
    ...options,
    places: new FeedbackPlaces({ bus, campaigns, secret: () => fleet.current()?.secret ?? '', now }),
    isTenant: (name) => fleet.current()?.fleet.tenant.some((tenant) => tenant.name === name) ?? false,
    onTaken: (tenant, feedback, concerned) => {
      const { ip, site } = concerned
      hygiene.cameBack(tenant, feedback, concerned, sites.isAmbiguous(site))
      if (feedback.kind === 'complaint' && ip !== null && site !== null) bus.say(subject('complained', {}), encode({ ip, site } satisfies Complained))
    },
  })
}
