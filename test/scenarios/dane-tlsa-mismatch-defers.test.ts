/** RFC 7672: where a domain, its hosts and their TLSA records are signed, only a host that a record vouches for gets mail; DANE stands above MTA-STS. */
import { createHash, X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { tlsOffered } from '../../scripts/world/models/connecting.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { signedZone } from '../kit/signed-zone.ts'
import { breachOf, outcomesOf } from '../kit/tally.ts'

const ZONE = 'signed.example'
const [MATCH, MISMATCH, BOGUS, UNUSABLE] = ['match', 'mismatch', 'bogus', 'unusable'].map((name) => `mx-${name}.${ZONE}`) as [string, string, string, string]
/** domain → its hosts in the order of preference */
const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  [`good.${ZONE}`]: [MATCH],
  [`second.${ZONE}`]: [MISMATCH, MATCH],
  [`wrong.${ZONE}`]: [MISMATCH],
  [`bogus.${ZONE}`]: [BOGUS],
  [`odd.${ZONE}`]: [UNUSABLE],
  // nobody signed what leads there, so the record binds nobody
  'unsigned.example': [MISMATCH],
}
const ROW: IspRow = {
  name: 'signed',
  hosts: [MATCH, MISMATCH, BOGUS, UNUSABLE],
  domains: Object.entries(DOMAINS).map(([domain, hosts]) => ({ domain, mx: hosts.map((host, at) => [10 + at, host] as const) })),
  certificates: { [MATCH]: 'issued', [MISMATCH]: 'issued', [BOGUS]: 'issued' },
  ehlo: ['PIPELINING', 'STARTTLS'],
  idleMs: 60_000,
  behaviours: [tlsOffered()],
}
const to = (domain: string) => Array.from({ length: 5 }, (_, at) => `ok+${at}@${domain}`)
const PEOPLE = Object.keys(DOMAINS).flatMap(to)

it('sends to the host whose key the record names, and waits rather than send to another', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ rows: [ROW] })
  // What MTA-STS would allow counts for nothing beside a TLSA record.
  world.publishSts(`wrong.${ZONE}`, { mode: 'enforce', mx: [`*.${ZONE}`], maxAgeS: 86_400 })
  const spki = (host: string) => new X509Certificate(world.certificate(host)).publicKey.export({ type: 'spki', format: 'der' })
  const hash = (host: string) => createHash('sha256').update(spki(host)).digest('hex')
  const tlsa = (host: string, text: string) => `_${world.smtpPort}._tcp.${host}. TLSA ${text}`
  const tampered = 'cd'.repeat(32)
  await using zone = await signedZone({
    zone: ZONE,
    elsewhere: world.dns,
    records: [
      ...ROW.hosts.map((host) => `${host}. A ${world.addresses.of(host)}`),
      ...ROW.domains
        .filter(({ domain }) => domain.endsWith(ZONE))
        .flatMap(({ domain, mx }) => mx.map(([preference, host]) => `${domain}. MX ${preference} ${host}.`)),
      tlsa(MATCH, `3 1 1 ${hash(MATCH)}`),
      tlsa(MISMATCH, `3 1 1 ${hash(MATCH)}`),
      tlsa(BOGUS, `3 1 1 ${tampered}`),
      tlsa(UNUSABLE, `1 1 1 ${hash(MATCH)}`),
    ],
    tampered: [[tampered, hash(BOGUS)]],
  })
  await using cluster = await startCluster({
    senders: 1,
    fleet: loopbackFleet(
      { dns: zone.dns, smtpPort: world.smtpPort },
      { more: { retry: { first: '1s', host: { steps: ['1s'] } }, tls: { dane: true, ca: world.authority, sts_port: world.stsPort } } },
    ),
  })
  await cluster.publish('acme', noticeTo('many', PEOPLE, { expiresAfter: '8s' }))
  const arrived = (domain: string) => [...new Set(to(domain).flatMap((rcpt) => world.record.arrivals(rcpt).map(({ host, tls }) => `${host} ${tls}`)))]
  const waiting = await cluster.until('acme', 'many', ({ delivered }) => delivered >= 20)
  expect(waiting.bounced).toBe(0)
  expect([...arrived(`wrong.${ZONE}`), ...arrived(`bogus.${ZONE}`)]).toEqual([])
  await cluster.until('acme', 'many', ({ waitingFor }) => waitingFor.length > 0 && waitingFor.every(({ because }) => because === 'tls-policy'))

  const end = await cluster.until('acme', 'many', ({ state }) => state === 'finished', 30_000)
  expect(end).toMatchObject({ delivered: 20, expired: 10, bounced: 0 })
  expect(breachOf(end)).toBe(null)
  expect(arrived(`good.${ZONE}`)).toEqual([`${MATCH} encrypted`])
  expect(arrived(`second.${ZONE}`)).toEqual([`${MATCH} encrypted`])
  expect(arrived(`odd.${ZONE}`)).toEqual([`${UNUSABLE} encrypted`])
  expect(arrived('unsigned.example')).toEqual([`${MISMATCH} encrypted`])
  expect([...arrived(`wrong.${ZONE}`), ...arrived(`bogus.${ZONE}`)]).toEqual([])
  expect(await accountOf(cluster, world, 'many', PEOPLE)).toMatchObject({ lost: [], doubled: [], unaccounted: [] })

  const delivered = (await outcomesOf(cluster.bus, 'acme', 'many')).filter(({ outcome }) => outcome === 'delivered')
  const verified = (domain: string) => [...new Set(delivered.filter(({ rcpt }) => rcpt.endsWith(`@${domain}`)).map(({ tls }) => tls?.verified))]
  expect([`good.${ZONE}`, `second.${ZONE}`, `odd.${ZONE}`].map(verified)).toEqual([['dane'], ['dane'], ['no']])
})
