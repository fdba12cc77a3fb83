/** delivery.md §5: a host whose handshake fails gets its mail in plaintext and is not asked again for three days; where TLS is required it gets none. */
import { expect, it } from 'vitest'
import { tlsBroken } from '../../scripts/world/models/connecting.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { breachOf } from '../kit/tally.ts'

const row = (name: string): IspRow => ({
  name,
  hosts: [`mx.${name}.example`],
  domains: [{ domain: `${name}.example`, mx: [[10, `mx.${name}.example`]] }],
  ehlo: ['PIPELINING', 'STARTTLS'],
  idleMs: 60_000,
  behaviours: [tlsBroken()],
})
const to = (name: string, first: number) => Array.from({ length: 12 }, (_, at) => `ok+${first + at}@${name}.example`)
const LIMITS = { sessions_per_ip: 1, sessions_start: 1, mails_per_session: 2 }

it('fails one handshake for many sessions, senders that start later included, and none is sent where TLS is required', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ rows: [row('broken'), row('strict')] })
  await using cluster = await startCluster({
    senders: 1,
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      {
        ips: 1,
        isp: [
          { name: 'broken', mx: ['broken.example'], tls: 'opportunistic', ...LIMITS },
          { name: 'strict', mx: ['strict.example'], tls: 'required', ...LIMITS },
        ],
        more: { retry: { first: '1s', host: { steps: ['1s'] } } },
      },
    ),
  })
  const handshakes = (isp: string) => world.record.isps.get(isp)?.met.get('tls-broken') ?? 0
  const sessions = () => [...(world.record.isps.get('broken')?.sources.values() ?? [])].reduce((sum, { connects }) => sum + connects, 0)

  await cluster.publish('acme', noticeTo('first', to('broken', 0)))
  await cluster.until('acme', 'first', ({ state }) => state === 'finished', 30_000)
  expect(handshakes('broken')).toBe(1)
  expect(sessions()).toBeGreaterThanOrEqual(7)

  await cluster.kill('sender-1')
  const people = [...to('broken', 100), ...to('strict', 0)]
  await cluster.publish('acme', noticeTo('second', people, { expiresAfter: '8s' }))
  const end = await cluster.until('acme', 'second', ({ state }) => state === 'finished', 40_000)
  expect(end).toMatchObject({ delivered: 12, expired: 12, bounced: 0 })
  expect(breachOf(end)).toBe(null)
  expect(handshakes('broken')).toBe(1)
  expect(handshakes('strict')).toBeGreaterThanOrEqual(1)
  const arrived = [...to('broken', 0), ...people].flatMap((rcpt) => world.record.arrivals(rcpt).map(({ isp, tls }) => `${isp} ${tls}`))
  expect([...new Set(arrived)]).toEqual(['broken plain'])
  expect(await accountOf(cluster, world, 'second', people)).toMatchObject({ lost: [], doubled: [], unaccounted: [] })
})
