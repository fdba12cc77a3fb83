/** RFC 8689: a campaign that asks for it is sent with REQUIRETLS over verified TLS to hosts that offer it and are proven to be the domain's, or bounces with 5.7.30. */
import { expect, it } from 'vitest'
import { stateless } from '../../scripts/world/models/behaviour.ts'
import { tlsOffered } from '../../scripts/world/models/connecting.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { breachOf, outcomesOf } from '../kit/tally.ts'

const [OFFERS, OFFERS_NOT] = ['mx.offers.example', 'mx.offers-not.example']
const to = (domain: string, tag = '') => Array.from({ length: 5 }, (_, at) => `ok+${tag}${at}@${domain}`)
const DOMAINS = ['offers.example', 'second.example', 'offers-not.example', 'unproven.example']

it('keeps the promise or breaks off, for that campaign alone', { timeout: 120_000 }, async () => {
  const asked: string[] = []
  const listens = stateless('tls', 'traffic', ['mail'], (event, { session }) => {
    if (event.on === 'mail') asked.push(`${session.host} ${session.tls} ${event.requiresTls === true}`)
    return null
  })
  const row = (name: string, host: string, domains: IspRow['domains'], ...more: readonly string[]): IspRow => ({
    name,
    hosts: [host],
    domains,
    certificates: { [host]: 'issued' },
    ehlo: ['PIPELINING', 'STARTTLS', ...more],
    idleMs: 60_000,
    behaviours: [tlsOffered(), listens],
  })
  const rows = [
    row(
      'offers',
      OFFERS,
      [
        { domain: 'offers.example', mx: [[10, OFFERS]] },
        { domain: 'second.example', mx: [] }, // taken here too; the other row says where its mail goes
        { domain: 'unproven.example', mx: [[10, OFFERS]] },
      ],
      'REQUIRETLS',
    ),
    row('offers-not', OFFERS_NOT, [
      {
        domain: 'second.example',
        mx: [
          [10, OFFERS_NOT],
          [20, OFFERS],
        ],
      },
      { domain: 'offers-not.example', mx: [[10, OFFERS_NOT]] },
    ]),
  ]
  await using world = await startWorld({ rows })
  for (const domain of ['offers.example', 'second.example', 'offers-not.example'])
    world.publishSts(domain, { mode: 'enforce', mx: [OFFERS, OFFERS_NOT], maxAgeS: 86_400 })
  await using cluster = await startCluster({
    senders: 1,
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      { more: { retry: { first: '1s', host: { steps: ['1s'] } }, tls: { ca: world.authority, sts_port: world.stsPort } } },
    ),
  })
  const secret = DOMAINS.flatMap((domain) => to(domain))
  await cluster.publish('acme', noticeTo('secret', secret, { requireTls: true }))
  const end = await cluster.until('acme', 'secret', ({ state }) => state === 'finished', 30_000)
  expect(new Set(asked)).toEqual(new Set([`${OFFERS} encrypted true`]))
  expect(end).toMatchObject({ delivered: 10, bounced: 10, waiting: 0 })
  expect(breachOf(end)).toBe(null)
  const outcomes = await outcomesOf(cluster.bus, 'acme', 'secret')
  const ends = (domain: string) => [
    ...new Set(outcomes.filter(({ rcpt }) => rcpt.endsWith(`@${domain}`)).map(({ outcome, enhanced, blames }) => `${outcome} ${enhanced} ${blames}`)),
  ]
  expect(ends('offers-not.example')).toEqual(['bounced 5.7.30 domain'])
  expect(ends('unproven.example')).toEqual(['bounced 5.7.30 domain'])
  expect(await accountOf(cluster, world, 'secret', secret)).toMatchObject({ lost: [], doubled: [], unaccounted: [] })

  // Who does not ask for it is sent as ever, to the same domains by the same sender.
  const open = DOMAINS.flatMap((domain) => to(domain, 'open'))
  await cluster.publish('acme', noticeTo('open', open))
  await cluster.until('acme', 'open', ({ state, delivered }) => state === 'finished' && delivered === open.length, 30_000)
  expect(new Set(asked)).toEqual(new Set([`${OFFERS} encrypted true`, `${OFFERS} encrypted false`, `${OFFERS_NOT} encrypted false`]))
})
