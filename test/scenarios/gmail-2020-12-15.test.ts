/**
 * delivery.md §8: for 6 h 41 min Gmail said 5.1.1 for valid users. Nobody is suppressed for it, the campaign stops at that site and goes on elsewhere,
 * and a person decides about what was held.
 */
import { expect, it } from 'vitest'
import type { HeldPage } from '../../protocol/messages/held.ts'
import type { CampaignEvent } from '../../protocol/messages/campaign.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { type TestCluster, startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { breachOf } from '../kit/tally.ts'

const people = (name: string, count: number, domain: string) => Array.from({ length: count }, (_, at) => `ok+${name}${at}@${domain}`)
const SAYS = {
  stage: 'rcpt',
  does: 'reply',
  code: 550,
  enhanced: '5.1.1',
  text: "The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. gsmtp",
} as const

async function entriesOf(cluster: TestCluster): Promise<number> {
  return (await cluster.ask<{ total: number }>('suppression', { tenant: 'acme' }, { action: 'list' })).total
}
const heldOf = (cluster: TestCluster) => cluster.ask<HeldPage>('suppression', { tenant: 'acme' }, { action: 'held' })

it('writes no entry, pauses the campaign at that site with its reason, and leaves the held verdicts to a person', { timeout: 180_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  await using cluster = await startCluster({ senders: 2, fleet: loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }) })
  const before = people('before', 150, 'gmail.com')
  await cluster.publish('acme', noticeTo('before', before))
  await cluster.until('acme', 'before', ({ state, delivered }) => state === 'finished' && delivered === 150)

  world.fault('google', 'outage', SAYS)
  const [gmail, yahoo] = [people('during', 1_500, 'gmail.com'), people('during', 200, 'yahoo.com')]
  await cluster.publish('acme', noticeTo('during', [...gmail, ...yahoo]))
  const stopped = await cluster.until('acme', 'during', ({ waitingFor, delivered, bounced, waiting }) => {
    return delivered === 200 && bounced + 200 + waiting === 1_700 && waitingFor.length > 0 && waitingFor.every(({ because }) => because === 'unknown-users')
  })
  expect(stopped).toMatchObject({ state: 'running' })
  expect(stopped.bounced).toBeGreaterThanOrEqual(200)
  expect(stopped.bounced, 'no more than the sample that goes first').toBeLessThanOrEqual(300)
  expect(breachOf(stopped)).toBe(null)
  expect(await entriesOf(cluster)).toBe(0)
  const held = await heldOf(cluster)
  expect(held).toMatchObject({ total: stopped.bounced, sites: [{ site: 'google', count: stopped.bounced, reply: expect.stringContaining('5.1.1') }] })
  expect(held.sites[0]?.brakeSince).not.toBe(null)
  const events: CampaignEvent[] = []
  for await (const { body } of cluster.bus.scan(STREAM.events, subject('campaignEvent', { tenant: 'acme', id: 'during' })))
    events.push(JSON.parse(new TextDecoder().decode(body)) as CampaignEvent)
  expect(events.filter(({ type }) => type === 'paused')).toMatchObject([
    { site: 'google', state: 'running', because: expect.stringContaining('results were unknown users') },
  ])

  // A scheduler that dies forgets none of it.
  await cluster.kill('scheduler')
  await cluster.until('acme', 'during', ({ waiting }) => waiting === stopped.waiting)
  expect((await heldOf(cluster)).total).toBe(stopped.bounced)
  expect(await entriesOf(cluster)).toBe(0)

  world.lift('google', 'outage')
  await cluster.ask('campaignControl', { tenant: 'acme', id: 'during' }, { action: 'resume', site: 'google' })
  const end = await cluster.until('acme', 'during', ({ state }) => state === 'finished')
  expect(end).toMatchObject({ delivered: 1_700 - stopped.bounced, bounced: stopped.bounced })
  expect(await accountOf(cluster, world, 'during', [...gmail, ...yahoo])).toMatchObject({ lost: [], doubled: [], unaccounted: [] })

  // They all live: a person drops what was held, and nobody is suppressed.
  expect(await cluster.ask('suppression', { tenant: 'acme' }, { action: 'drop', site: 'google' })).toEqual({ ok: true, decided: stopped.bounced })
  expect(await heldOf(cluster)).toEqual({ total: 0, sites: [] })
  expect(await entriesOf(cluster)).toBe(0)
})
