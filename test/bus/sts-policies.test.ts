/** MTA-STS from DNS over HTTPS to the bucket, against real servers of each kind (RFC 8461). */
import { once } from 'node:events'
import https from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { openFaults } from '../../scripts/world/dns/answer.ts'
import { startDns } from '../../scripts/world/dns/server.ts'
import { openZone, publish, type ZoneRecord } from '../../scripts/world/dns/zone.ts'
import { openAuthority } from '../../scripts/world/certificate.ts'
import { BUCKETS, KEYS } from '../../protocol/buckets.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { createResolver } from '../../services/runtime/dns/resolver.ts'
import { Roots } from '../../services/sender/tls/roots.ts'
import { fetchPolicy } from '../../services/sender/tls/sts-fetch.ts'
import { StsPolicies } from '../../services/sender/tls/sts-policies.ts'
import { listeningLog, natsForFile } from '../kit/bus.ts'

const here = natsForFile()
beforeAll(() => here.bus.ensureBuckets(BUCKETS))

const ADDRESS = '127.0.2.241'
const authority = openAuthority('an authority', new Date())
const enforce = (mx: string, maxAge = 86_400) => `version: STSv1\nmode: enforce\nmx: ${mx}\nmax_age: ${maxAge}\n`
const serving =
  (body: string, type = 'text/plain'): RequestListener =>
  (_, response) =>
    void response.writeHead(200, { 'content-type': type }).end(body)

/** A policy host for mta-sts.<domain>, DNS that leads there, and policies as a sender keeps them. */
async function internet(domain: string, listener: RequestListener, certificate = authority.issue([`mta-sts.${domain}`])) {
  await using opening = new AsyncDisposableStack()
  let answer = listener
  let asked = 0
  const server = https.createServer(certificate, (request, response) => {
    asked++
    answer(request, response)
  })
  server.listen(0, ADDRESS)
  await once(server, 'listening')
  opening.defer(async () => {
    server.closeAllConnections()
    await once(server.close(), 'close')
  })
  const record = (name: string, rest: Pick<ZoneRecord, 'type' | 'data'>) => ({ name, ttlS: 0, ...rest }) as ZoneRecord
  const announced = (id: string | null) => record(`_mta-sts.${domain}`, { type: 'TXT', data: [id === null ? 'nothing' : `v=STSv1; id=${id};`] })
  const zone = openZone([record(`mta-sts.${domain}`, { type: 'A', data: ADDRESS }), announced('1')])
  const dns = opening.use(await startDns({ zone, faults: openFaults(), address: '127.0.0.1', port: 0 }))
  const roots = new Roots()
  roots.use(authority.cert)
  let now = Date.now()
  const sender = (network = { smtpPort: 25, allowPrivateMx: true, onlyPrivateMx: false }) => {
    // Each sender process has its own resolver; a new one remembers nothing of the old record.
    const resolver = parts.use(createResolver({ servers: [`127.0.0.1:${dns.port}`] }))
    const tools = { resolver, network: () => network, roots: () => roots.context, port: () => (server.address() as AddressInfo).port, timeoutMs: 1_000 }
    return parts.use(
      new StsPolicies({
        resolver,
        bucket: openBucket(here.bus, 'policies'),
        fetch: (of, id) => fetchPolicy(of, id, tools),
        wall: () => now,
        log: listeningLog(),
      }),
    )
  }
  const parts = opening.move()
  return {
    sender,
    announce: (id: string | null) => publish(zone, [announced(id)]),
    serve: (next: RequestListener) => {
      answer = next
    },
    passes: (ms: number) => {
      now += ms
    },
    asked: () => asked,
    roots,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

describe('a policy', () => {
  it('is fetched once, for many mails at once, and outlives the process that fetched it and the record that announced it', async () => {
    await using net = await internet('once.example', serving(enforce('mx.once.example')))
    const sender = net.sender()
    const all = await Promise.all(Array.from({ length: 20 }, () => sender.of('once.example')))
    expect(new Set(all.map(({ policy }) => policy?.mx.join())).size).toBe(1)
    expect(all[0]).toEqual({ policy: { id: '1', mode: 'enforce', mx: ['mx.once.example'], maxAgeS: 86_400 }, failure: null })
    net.announce(null)
    expect(await net.sender().of('once.example')).toEqual(all[0])
    expect(net.asked()).toBe(1)
    const kept = await openBucket(here.bus, 'policies').get(KEYS.stsPolicy('once.example'))
    expect(JSON.parse(new TextDecoder().decode(kept?.value))).toMatchObject({ policy: { id: '1' } })
  })

  it('is fetched anew when another id is announced, and stays as it was while its host cannot say', async () => {
    await using net = await internet('anew.example', serving(enforce('mx1.anew.example')))
    expect((await net.sender().of('anew.example')).policy?.mx).toEqual(['mx1.anew.example'])
    net.announce('2')
    net.serve((_, response) => void response.writeHead(503).end())
    const sender = net.sender()
    const kept = await sender.of('anew.example')
    expect(kept).toMatchObject({ policy: { mx: ['mx1.anew.example'] }, failure: { trouble: 'sts-policy-fetch-error' } })
    net.serve(serving(enforce('mx2.anew.example')))
    await sender.of('anew.example')
    expect(net.asked()).toBe(2) // it rests after a failure
    net.passes(300_001)
    expect((await sender.of('anew.example')).policy).toMatchObject({ id: '2', mx: ['mx2.anew.example'] })
    net.announce('3')
    net.serve(serving('version: STSv1\nmode: none\nmax_age: 86400\n'))
    expect((await net.sender().of('anew.example')).policy).toBe(null)
  })

  it('binds nobody past its max_age, once its host is silent', async () => {
    await using net = await internet('aged.example', serving(enforce('mx.aged.example', 3_600)))
    const sender = net.sender()
    expect((await sender.of('aged.example')).policy).not.toBe(null)
    net.serve((_, response) => void response.writeHead(500).end())
    net.passes(3_599_000)
    expect((await sender.of('aged.example')).policy).not.toBe(null)
    net.passes(2_000)
    expect((await sender.of('aged.example')).policy).toBe(null)
  })
})

describe('no policy comes', () => {
  it.each([
    [
      'from a redirect',
      (_: unknown, response: Parameters<RequestListener>[1]) => void response.writeHead(301, { location: 'https://elsewhere.example/' }).end(),
      'sts-policy-fetch-error',
    ],
    ['in another media type', serving(enforce('mx.example'), 'text/html'), 'sts-policy-invalid'],
    ['from more than 64 KB', serving(`${enforce('mx.example')}${'x: y\n'.repeat(20_000)}`), 'sts-policy-invalid'],
    ['from what is none', serving('hello'), 'sts-policy-invalid'],
    ['from a host that never answers', () => {}, 'sts-policy-fetch-error'],
  ])('%s', async (_, listener, trouble) => {
    await using net = await internet('bad.example', listener as RequestListener)
    expect(await net.sender().of('bad.example')).toMatchObject({ policy: null, failure: { trouble } })
  })

  it('over a certificate that names another host, or that nobody vouches for', async () => {
    await using other = await internet('bad.example', serving(enforce('mx.example')), authority.issue(['mta-sts.other.example']))
    expect(await other.sender().of('bad.example')).toMatchObject({ policy: null, failure: { trouble: 'sts-webpki-invalid' } })
    await using stranger = await internet('bad.example', serving(enforce('mx.example')), openAuthority('a stranger', new Date()).issue(['mta-sts.bad.example']))
    expect(await stranger.sender().of('bad.example')).toMatchObject({ policy: null, failure: { trouble: 'sts-webpki-invalid' } })
  })

  it('from an address inside our own network', async () => {
    await using net = await internet('inside.example', serving(enforce('mx.example')))
    const outside = { smtpPort: 25, allowPrivateMx: false, onlyPrivateMx: false }
    expect(await net.sender(outside).of('inside.example')).toMatchObject({ policy: null, failure: { trouble: 'sts-policy-fetch-error' } })
    expect(net.asked()).toBe(0)
  })
})
