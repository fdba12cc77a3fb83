import { campaignName, type CampaignKey } from '../../../protocol/ids.ts'
import type { CampaignStatus } from '../../../protocol/messages/campaign.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { campaignOf } from '../arguments.ts'
import { campaignLines } from '../campaign-screen.ts'
import type { Command } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'
import { followCampaign, statusOf } from '../follow.ts'

export const statusCommand: Command = {
  name: 'status',
  positionals: [{ name: 'TENANT/ID' }],
  options: ['follow', 'json'],
  says: "a campaign's counts, and what it waits for",
  more: 'With --follow it is shown until it has ended; then the exit code is 0 when it is finished, 1 when it was cancelled or rejected.',
  examples: ['hato status acme/spring-2026', 'hato status acme/spring-2026 --json | jq .waitingFor'],
  async run(asked, here) {
    const key = campaignOf(asked.positionals[0] as string)
    const bus = await here.bus()
    const status = await knownStatus(bus, key)
    if (asked.flags.has('follow')) return followCampaign(bus, key, here, asked.flags.has('json') ? 'json' : 'text')
    if (asked.flags.has('json')) here.screen.out(JSON.stringify(status))
    else for (const line of campaignLines(status, { now: here.now(), paint: here.screen.paint, width: here.screen.width })) here.screen.out(line)
    return EXIT.ok
  },
}

async function knownStatus(bus: Bus, key: CampaignKey): Promise<CampaignStatus> {
  const status = await statusOf(bus, key)
  if (status.state === 'unknown')
    throw new Failure('failed', `there is no campaign ${campaignName(key)}: it was never published, or ended more than 30 days ago`, {
      code: 'unknown-campaign',
    })
  return status
}
