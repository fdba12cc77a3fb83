/** Senders that are stopped in the middle of campaigns give everything back at once: others carry it on, and nobody waits for a time-out. */
import { expect, it } from 'vitest'
import { DEMO_ISPS, DEMO_RETRY, DEMO_RULES } from '../../scripts/demo/patience.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { campaignFor } from '../compose/campaign.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet } from '../kit/fleets.ts'
import { settledOf } from '../kit/tally.ts'

const RECIPIENTS = 2_000
const CAMPAIGNS = ['one', 'two', 'three']

it('carries on at once when two of four senders are stopped', { timeout: 300_000 }, async () => {
  await using world = await startWorld({})
  await using cluster = await startCluster({
    senders: 4,
    fleet: loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }, { ips: 1, isp: DEMO_ISPS, more: { retry: DEMO_RETRY, rule: DEMO_RULES } }),
  })
  const campaigns = CAMPAIGNS.map((id, at) => campaignFor(id, RECIPIENTS, at + 1))
  for (const { body } of campaigns) await cluster.publish('acme', body)
  await cluster.until('acme', 'one', (told) => settledOf(told) >= 0.3 * told.recipients && told.recipients > 0)
  await Promise.all([cluster.kill('sender-3', 'SIGTERM'), cluster.kill('sender-4', 'SIGTERM')])
  for (const id of CAMPAIGNS) {
    const end = await cluster.until('acme', id, ({ state }) => state === 'finished', 150_000)
    expect(end).toMatchObject({ waiting: 0, mayBeDuplicate: 0 })
  }
})
