import { campaignFor, type TestCampaign } from './campaign.ts'
import type { Hato } from './hato.ts'

/** Campaigns one after the other, each published before the one before it ends, so that something is always in the middle of its way. */
export interface Traffic {
  readonly campaigns: readonly TestCampaign[]
  isRunning(): boolean
  /** no campaign after the one that is running */
  stop(): void
  /** Resolves when every campaign has finished. Rejects when one cannot. */
  readonly finished: Promise<void>
}

const RECIPIENTS = 2_000
/** So much of a campaign is settled when the next one is published. */
const NEXT_AT = 0.7
const FINISHED_WITHIN_MS = 300_000

/** Resolves when the first campaign is durable. */
export async function startTraffic(hato: Hato, say: (line: string) => void): Promise<Traffic> {
  const campaigns: TestCampaign[] = []
  let stopped = false
  const publish = async () => {
    const campaign = campaignFor(`moved-${campaigns.length + 1}`, RECIPIENTS, campaigns.length + 1)
    await hato.publish(campaign)
    campaigns.push(campaign)
    say(`published ${campaign.body.id}: ${campaign.addresses.length} recipients`)
    return campaign
  }
  const goOn = async (campaign: TestCampaign): Promise<void> => {
    const { id } = campaign.body
    const isFar = () => hato.carriers.settled(id) >= campaign.addresses.length * NEXT_AT
    await hato.carriers.until(`${id} is well on its way`, () => stopped || isFar(), FINISHED_WITHIN_MS)
    const next = stopped ? null : goOn(await publish())
    await Promise.all([hato.untilFinished(campaign, FINISHED_WITHIN_MS), next])
  }
  const finished = goOn(await publish())
  finished.catch(() => {}) // whoever awaits it is told
  return {
    campaigns,
    isRunning: () => campaigns.some((campaign) => hato.isRunning(campaign)),
    stop() {
      stopped = true
    },
    finished,
  }
}
