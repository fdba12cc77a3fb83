/** RFC 8460: sessions are counted by policy domain, beyond a sender's life, for the domains that ask for it; the day's reports are one object. */
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { OBJECT_BUCKET, tlsReportObject } from '../../protocol/buckets.ts'
import type { DailyTlsReports } from '../../protocol/tls-report.ts'
import { tlsOffered } from '../../scripts/world/models/connecting.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { keepTlsReports } from '../../services/scheduler/tls-report-keeper.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { Fleet } from '../../protocol/fleet.ts'
import { gather, listeningLog, until } from '../kit/bus.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { hatoProcess } from '../kit/hato.ts'

const [WRONG, RIGHT] = ['mx1.told.example', 'mx2.told.example']
const ROW: IspRow = {
  name: 'told',
  hosts: [WRONG, RIGHT],
  domains: [
    {
      domain: 'enforced.example',
      mx: [
        [10, WRONG],
        [20, RIGHT],
      ],
    },
    { domain: 'testing.example', mx: [[10, WRONG]] },
    { domain: 'silent.example', mx: [[10, RIGHT]] },
  ],
  certificates: { [WRONG]: 'expired', [RIGHT]: 'issued' },
  ehlo: ['PIPELINING', 'STARTTLS'],
  idleMs: 60_000,
  behaviours: [tlsOffered()],
}

it('counts what failed and what did not, and makes one object of a day that is over', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ rows: [ROW] })
  world.publishSts('enforced.example', { mode: 'enforce', mx: ['*.told.example'], maxAgeS: 86_400 })
  world.publishSts('testing.example', { mode: 'testing', mx: ['*.told.example'], maxAgeS: 86_400 })
  for (const domain of ['enforced.example', 'testing.example']) world.publishText(`_smtp._tls.${domain}`, `v=TLSRPTv1; rua=mailto:tls@${domain}`)
  const fleet = loopbackFleet(
    { dns: world.dns, smtpPort: world.smtpPort },
    { ips: 1, more: { retry: { first: '1s', host: { steps: ['1s'] } }, tls: { ca: world.authority, sts_port: world.stsPort, contact: 'tls@hato.example' } } },
  )
  await using cluster = await startCluster({ senders: 1, fleet })
  const people = ['enforced.example', 'testing.example', 'silent.example'].flatMap((domain) => [`ok+1@${domain}`, `ok+2@${domain}`])
  await cluster.publish('acme', noticeTo('many', people))
  await cluster.until('acme', 'many', ({ state, delivered }) => state === 'finished' && delivered === people.length)
  await cluster.kill('sender-1', 'SIGTERM') // what it counted, it writes down

  const said = await hatoProcess({ HATO_DATA: cluster.dataDir, HATO_NATS_URL: cluster.natsUrl }, ['tls-report', '--json'])
  const { day, reports } = JSON.parse(said.out) as DailyTlsReports
  expect(reports.map(({ to, report }) => [to, report['contact-info'], report['organization-name']])).toEqual([
    [['mailto:tls@enforced.example'], 'tls@hato.example', 'hato.example'],
    [['mailto:tls@testing.example'], 'tls@hato.example', 'hato.example'],
  ])
  const [enforced, testing] = reports.map(({ report }) => report.policies)
  expect(enforced).toEqual([
    {
      policy: {
        'policy-type': 'sts',
        'policy-domain': 'enforced.example',
        'policy-string': ['version: STSv1', 'mode: enforce', 'mx: *.told.example', 'max_age: 86400'],
        'mx-host': ['*.told.example'],
      },
      summary: { 'total-successful-session-count': expect.any(Number), 'total-failure-session-count': expect.any(Number) },
      'failure-details': [
        { 'result-type': 'certificate-expired', 'sending-mta-ip': '127.0.1.1', 'receiving-mx-hostname': WRONG, 'failed-session-count': expect.any(Number) },
      ],
    },
  ])
  expect(enforced?.[0]?.summary['total-successful-session-count']).toBeGreaterThan(0)
  expect(enforced?.[0]?.summary['total-failure-session-count']).toBeGreaterThan(0)
  expect(testing?.[0]).toMatchObject({ policy: { 'policy-type': 'sts' }, summary: { 'total-successful-session-count': 0 } })
  expect(testing?.[0]?.['failure-details']?.[0]).toMatchObject({ 'result-type': 'certificate-expired' })
  const shown = await hatoProcess({ HATO_DATA: cluster.dataDir, HATO_NATS_URL: cluster.natsUrl }, ['tls-report', day])
  expect(shown.out).toMatch(/enforced\.example +sts +\d+ +\d+ +certificate-expired at mx1\.told\.example/)

  // The same day seen from the next morning.
  const tomorrow = Date.parse(`${day}T00:00:00Z`) + 86_400_000 + 600_000
  const clock = { now: () => tomorrow, mono: () => performance.now() }
  const crash = (error: unknown) => {
    throw error
  }
  await using keeper = keepTlsReports({ bus: cluster.bus, clock, log: listeningLog(), fleet: () => Fleet.parse(fleet), crash })
  void keeper
  const objects = openObjects(cluster.bus, OBJECT_BUCKET)
  await until("the day's object is there", async () => (await objects.head(tlsReportObject(day))) !== null)
  const kept = JSON.parse(gunzipSync(Buffer.concat(await gather(objects.read(tlsReportObject(day))))).toString()) as DailyTlsReports
  expect(kept).toEqual({ day, reports })
})
