/** RFC 8461 5: under a policy in mode enforce mail goes to the policy's hosts over verified TLS, or it waits. */
import { expect, it } from 'vitest'
import { stateless } from '../../scripts/world/models/behaviour.ts'
import { noTls, tlsOffered } from '../../scripts/world/models/connecting.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { reply } from '../../scripts/world/models/reply.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { breachOf, outcomesOf } from '../kit/tally.ts'

const [WRONG, RIGHT] = ['mx1.secure.example', 'mx2.secure.example']
const to = (domain: string) => Array.from({ length: 10 }, (_, at) => `ok+${at}@${domain}`)
const ROW: IspRow = {
  name: 'secure',
  hosts: [WRONG, RIGHT, 'mx.elsewhere.example'],
  domains: [
    // the first host's certificate names another
    {
      domain: 'secure.example',
      mx: [
        [10, WRONG],
        [20, RIGHT],
      ],
    },
    // the first host has a fine certificate and is not in the policy
    {
      domain: 'hijacked.example',
      mx: [
        [10, 'mx.elsewhere.example'],
        [20, RIGHT],
      ],
    },
    { domain: 'stuck.example', mx: [[10, WRONG]] },
    { domain: 'open.example', mx: [[10, WRONG]] },
  ],
  certificates: { [WRONG]: 'other-name', [RIGHT]: 'issued', 'mx.elsewhere.example': 'issued' },
  ehlo: ['PIPELINING', 'STARTTLS'],
  idleMs: 60_000,
  behaviours: [tlsOffered()],
}
/** Offers no TLS, and says 5xx to who asks all the same: no refusal of the mail. */
const BARE: IspRow = {
  name: 'bare',
  hosts: ['mx.bare.example'],
  domains: [{ domain: 'bare.example', mx: [[10, 'mx.bare.example']] }],
  ehlo: ['PIPELINING'],
  idleMs: 60_000,
  behaviours: [
    noTls(),
    stateless('no-tls', 'traffic', ['starttls'], () => ({ answer: { reply: reply(502, '5.5.1', 'what?'), because: 'no-tls', then: 'stay' } })),
  ],
}
const PEOPLE = ['secure.example', 'hijacked.example', 'stuck.example', 'open.example', 'bare.example'].flatMap(to)

it('sends to the host that proves itself, and neither in plaintext nor unverified to one that does not', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ rows: [ROW, BARE] })
  for (const domain of ['secure.example', 'hijacked.example', 'stuck.example', 'bare.example'])
    world.publishSts(domain, { mode: 'enforce', mx: ['*.secure.example', 'mx.bare.example'], maxAgeS: 86_400 })
  await using cluster = await startCluster({
    senders: 2,
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      { more: { retry: { first: '1s', host: { steps: ['1s'] } }, tls: { ca: world.authority, sts_port: world.stsPort } } },
    ),
  })
  await cluster.publish('acme', noticeTo('many', PEOPLE, { expiresAfter: '8s' }))
  // Whatever arrives meanwhile arrives where it may.
  const arrived = (domain: string) => to(domain).flatMap((rcpt) => world.record.arrivals(rcpt).map(({ host, tls }) => `${host} ${tls}`))
  const waiting = await cluster.until('acme', 'many', ({ delivered }) => delivered >= 30)
  expect(waiting.bounced).toBe(0)
  expect([...arrived('stuck.example'), ...arrived('bare.example')]).toEqual([])
  expect([...new Set(waiting.waitingFor.map(({ because }) => because))]).toEqual(['tls-policy'])

  const end = await cluster.until('acme', 'many', ({ state }) => state === 'finished', 30_000)
  expect(end).toMatchObject({ delivered: 30, expired: 20, bounced: 0 })
  expect(breachOf(end)).toBe(null)
  expect(new Set(arrived('secure.example'))).toEqual(new Set([`${RIGHT} encrypted`]))
  expect(new Set(arrived('hijacked.example'))).toEqual(new Set([`${RIGHT} encrypted`]))
  expect([...arrived('stuck.example'), ...arrived('bare.example')]).toEqual([])
  // Who publishes nothing gets TLS as well as it can be had (RFC 7435), from the same host and under the same leases.
  expect(new Set(arrived('open.example'))).toEqual(new Set([`${WRONG} encrypted`]))
  expect(await accountOf(cluster, world, 'many', PEOPLE)).toMatchObject({ lost: [], doubled: [], unaccounted: [] })

  const delivered = (await outcomesOf(cluster.bus, 'acme', 'many')).filter(({ outcome }) => outcome === 'delivered')
  const verified = (domain: string) => [...new Set(delivered.filter(({ rcpt }) => rcpt.endsWith(`@${domain}`)).map(({ tls }) => tls?.verified))]
  expect(['secure.example', 'hijacked.example', 'open.example'].map(verified)).toEqual([['pkix'], ['pkix'], ['no']])
  // One policy for all senders, kept beyond their lives: each was fetched by at most each of the two, not for each session.
  expect(world.policyFetches('secure.example')).toBeLessThanOrEqual(2)
})
