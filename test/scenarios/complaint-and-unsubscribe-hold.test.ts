/**
 * delivery.md §8, §9: who complained gets neither marketing nor notices of the tenant any more, who unsubscribed nothing of that list; a receipt goes out
 * to both. What came back stands beside the outcomes of the campaign that has ended, and a forged return path suppresses nobody.
 */
import { expect, it } from 'vitest'
import type { IpReputation } from '../../protocol/messages/ops.ts'
import { subject } from '../../protocol/subjects.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { type TestCluster, startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'

const [ANGRY, LEFT, GONE, VICTIM, OTHERS] = [
  'ok+angry@yahoo.com',
  'ok+left@gmail.com',
  'ok+gone@yahoo.co.jp',
  'ok+victim@gmail.com',
  ['ok+o1@gmail.com', 'ok+o2@yahoo.com'],
]
const ALL = [ANGRY, LEFT, GONE, VICTIM, ...OTHERS]

const newsletter = (id: string, list: string) => ({
  ...noticeTo(id, []),
  kind: 'marketing',
  list: { id: list },
  unsubscribe: { url: 'https://acme.example/u/{{ ref }}' },
  recipients: ALL.map((address, at) => ({ address, ref: `${id}-${at}` })),
})

it('holds them back from the next campaign and lets a receipt through; a forged return path suppresses nobody', { timeout: 180_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  const fleet = loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }, { more: { suppression: { settle: '200ms' } } })
  await using cluster = await startCluster({ senders: 1, fleet })
  await cluster.publish('acme', newsletter('first', 'news'))
  await cluster.until('acme', 'first', ({ state, delivered }) => state === 'finished' && delivered === ALL.length, 30_000)
  const returnPath = (address: string) => world.record.arrivals(address)[0]?.from ?? ''

  await say(cluster, { id: 'c-1', kind: 'complaint', token: returnPath(ANGRY) })
  await say(cluster, { id: 'u-1', kind: 'unsubscribe', token: returnPath(LEFT) })
  await say(cluster, { id: 'b-1', kind: 'bounce', class: 'unknown-user', token: returnPath(GONE) })
  const [local = '', domain = ''] = returnPath(VICTIM).split('@')
  const forged = `${local.slice(0, -1)}${local.endsWith('a') ? 'b' : 'a'}@${domain}`
  await say(cluster, { id: 'f-1', kind: 'complaint', token: forged, rcpt: VICTIM })
  await say(cluster, { id: 'c-1', kind: 'complaint', token: returnPath(VICTIM) }) // an id that was used: it is the same word again
  await cluster.until('acme', 'first', (told) => told.complained + told.unsubscribed + told.bouncedLater >= 3, 10_000)
  expect(await cluster.status('acme', 'first')).toMatchObject({ state: 'finished', delivered: ALL.length, complained: 1, unsubscribed: 1, bouncedLater: 1 })

  const listed = async () =>
    (await cluster.ask<{ entries: { address: string; reason: string }[] }>('suppression', { tenant: 'acme' }, { action: 'list' })).entries
  await expect.poll(async () => (await listed()).length, { timeout: 5_000 }).toBe(3)
  expect(Object.fromEntries((await listed()).map(({ address, reason }) => [address, reason]))).toEqual({
    [ANGRY]: 'complaint',
    [LEFT]: 'unsubscribe',
    [GONE]: 'unknown-user',
  })

  // The IP that brought it answers for it, where the provider tells of complaints.
  const { ips } = await cluster.ask<IpReputation>('ipReputation', {})
  expect(ips.flatMap(({ isps }) => (isps.yahoo ? [isps.yahoo.complaints] : [])).filter((count) => count !== 0)).toEqual([1])

  // A scheduler that dies forgets none of it.
  await cluster.kill('scheduler')
  const campaigns = [
    { job: newsletter('same-list', 'news'), suppressed: [ANGRY, LEFT, GONE] },
    { job: newsletter('other-list', 'offers'), suppressed: [ANGRY, GONE] },
    { job: noticeTo('recall', ALL), suppressed: [ANGRY, GONE] },
    { job: noticeTo('receipt', ALL, { kind: 'transactional' }), suppressed: [GONE] },
  ]
  for (const { job } of campaigns) await cluster.publish('acme', job)
  for (const { job, suppressed } of campaigns) {
    const end = await cluster.until('acme', job.id, ({ state }) => state === 'finished', 30_000)
    expect(end, job.id).toMatchObject({ suppressed: suppressed.length, delivered: ALL.length - suppressed.length })
    const account = await accountOf(cluster, world, job.id, ALL)
    expect(account, job.id).toMatchObject({ lost: [], doubled: [], unaccounted: [], unpublished: [] })
  }
  const mails = (address: string) => world.record.arrivals(address).length
  expect([ANGRY, LEFT, GONE, VICTIM].map(mails)).toEqual([2, 4, 1, 5])
})

/** As the tenant's own program would: what answers is the stream. */
async function say(cluster: TestCluster, feedback: object): Promise<void> {
  const told = { at: new Date().toISOString(), source: 'feedback loop', ...feedback }
  const ack = await cluster.nats.request(subject('feedback', { tenant: 'acme' }), JSON.stringify(told), { timeout: 5_000 })
  expect(ack.json()).toMatchObject({ stream: 'FEEDBACK' })
}
