/** Every actor under its own user, tenants under theirs: mail goes out, nobody is refused what it needs, and a new tenant comes in while all runs. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { jetstream } from '@nats-io/jetstream'
import { Objm } from '@nats-io/obj'
import { connect } from 'nats'
import { expect, test } from 'vitest'
import { tenantObjectBucket } from '../../protocol/buckets.ts'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { subject } from '../../protocol/subjects.ts'
import { bytes, until } from '../kit/bus.ts'
import { startCluster, type TestCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { startSinks } from '../kit/sinks.ts'

const RECIPIENTS = 300

test('publishers send lists of their own through actors that may do no more than their part; passwords outlive the cluster', { timeout: 180_000 }, async () => {
  await using sinks = await startSinks(2)
  const fleet = loopbackFleet(sinks) as { readonly tenant: readonly object[]; readonly pool: readonly object[] }
  await using cluster = await startCluster({ fleet, senders: 2 })
  const file = join(cluster.dataDir, 'credentials.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(cluster.natsUrl).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/)
  await expect(connect({ servers: cluster.natsUrl, maxReconnectAttempts: 0 })).rejects.toThrow(/authorization/i)

  await send(cluster, 'acme', 'first', sinks.domains)

  // While it runs another tenant comes in.
  const rival = { name: 'rival', domains: ['rival.example'], return_path: 'bounce.rival.example' }
  await cluster.ask('fleetApply', {}, { ...fleet, tenant: [...fleet.tenant, rival], pool: [{ name: 'acme' }] })
  await until('the new tenant stands in credentials.json', async () => (await readFile(file, 'utf8')).includes('publisher:rival'), 20_000)
  await send(cluster, 'rival', 'first', sinks.domains)
  await send(cluster, 'acme', 'second', sinks.domains)
  expect(await violations(cluster)).toEqual([])

  const before = JSON.parse(await readFile(file, 'utf8'))
  expect(await cluster.stop()).toBe(0)
  await cluster.start()
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ ops: before.ops, 'publisher:acme': before['publisher:acme'] })
})

/** As a program of the tenant: the list into its bucket, the campaign, its status. */
async function send(cluster: TestCluster, tenant: string, id: string, domains: readonly string[]): Promise<void> {
  const nats = await connect({ servers: cluster.natsUrl, ...(await cluster.login(`publisher:${tenant}`)) })
  try {
    const lines = Array.from({ length: RECIPIENTS }, (_, at) =>
      JSON.stringify({ address: `${tenant}-${id}-${at}@${domains[at % domains.length]}`, ref: `r-${at}` }),
    )
    const objects = await new Objm(jetstream(nats)).open(tenantObjectBucket(tenant))
    await objects.putBlob({ name: 'lists/all.ndjson' }, bytes(lines.join('\n')))
    const campaign = { ...noticeTo(id, []), from: { address: `news@${tenant}.example` }, recipients: undefined, recipientsObject: 'lists/all.ndjson' }
    const ack = await nats.request(subject('campaignJob', { tenant }), JSON.stringify(campaign))
    expect(ack.json()).toMatchObject({ seq: expect.any(Number) })
    const status = await ended(async () => (await nats.request(subject('campaignStatus', { tenant, id }), '', { timeout: 5_000 })).json<CampaignStatus>())
    expect(status).toMatchObject({ state: 'finished', recipients: RECIPIENTS, delivered: RECIPIENTS })
  } finally {
    await nats.close()
  }
}

async function ended(status: () => Promise<CampaignStatus>): Promise<CampaignStatus> {
  let last = await status()
  await until(
    'the campaign has ended',
    async () => {
      last = await status()
      return last.state === 'finished' || last.state === 'rejected'
    },
    40_000,
  )
  return last
}

/** What the server refused, in its own words. */
async function violations(cluster: TestCluster): Promise<readonly string[]> {
  const log = await readFile(join(cluster.dataDir, 'logs/nats-server.log'), 'utf8')
  return log.split('\n').filter((line) => line.includes('Violation'))
}
