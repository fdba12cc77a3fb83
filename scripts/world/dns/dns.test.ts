import dgram from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import dns, { type Packet, type RecordType } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '../world.ts'
import { reverseName } from './isp-records.ts'

let world: World
let resolver: Resolver

beforeAll(async () => {
  world = await startWorld()
  resolver = new Resolver({ timeout: 150, tries: 3 })
  resolver.setServers([world.dns])
})
afterAll(() => world[Symbol.asyncDispose]())

/** one question over UDP as it stands on the wire */
async function ask(name: string, type: RecordType): Promise<Packet & { readonly rcode: number; readonly truncated: boolean }> {
  const socket = dgram.createSocket('udp4')
  try {
    socket.send(dns.encode({ type: 'query', id: 7, flags: dns.RECURSION_DESIRED, questions: [{ name, type }] }), world.dnsPort, '127.0.0.1')
    const [wire] = (await once(socket, 'message')) as [Buffer]
    const packet = dns.decode(wire)
    return { ...packet, rcode: (packet.flags ?? 0) & 15, truncated: ((packet.flags ?? 0) & dns.TRUNCATED_RESPONSE) !== 0 }
  } finally {
    socket.close()
  }
}

describe('DNS of the receiving side', () => {
  it.each([
    ['gmail.com', ['gmail-smtp-in.l.google.com', 'alt1.gmail-smtp-in.l.google.com']],
    ['workspace-customer.example', ['aspmx.l.google.com', 'alt1.aspmx.l.google.com']],
    ['docomo.ne.jp', ['mfsmax.docomo.ne.jp']],
    ['yahoo.co.jp', ['mx1.mail.yahoo.co.jp', 'mx2.mail.yahoo.co.jp', 'mx3.mail.yahoo.co.jp', 'mx5.mail.yahoo.co.jp']],
    ['hotmail.com', ['hotmail-com.olc.protection.outlook.com']],
    ['wanadoo.fr', ['smtp-in.orange.fr']],
    ['shop-001.example', ['mx1.box-01.example']],
    ['shop-003.example', ['mx.shop-003.example']],
  ])('%s has the MX hosts %j in order of preference, each with an address inside the base', async (domain, hosts) => {
    const mx = (await resolver.resolveMx(domain)).sort((a, b) => a.priority - b.priority)
    expect(mx.map(({ exchange }) => exchange)).toEqual(hosts)
    for (const host of hosts) expect((await resolver.resolve4(host))[0]).toMatch(/^127\.0\.2\.\d+$/)
  })

  it('gives the three equal MX of Yahoo the same preference', async () => {
    expect(new Set((await resolver.resolveMx('yahoo.com')).map(({ priority }) => priority)).size).toBe(1)
  })

  it('leads ten customers of a box with an MX of their own name to its one address', async () => {
    const customers = Array.from({ length: 10 }, (_, k) => `mx.shop-${String(3 + 30 * k).padStart(3, '0')}.example`)
    const addresses = await Promise.all(customers.map((host) => resolver.resolve4(host)))
    expect(new Set(addresses.flat())).toEqual(new Set(await resolver.resolve4('mx1.box-03.example')))
  })

  it('has a domain without MX but with an address, a null MX, an NXDOMAIN and a SERVFAIL', async () => {
    await expect(resolver.resolveMx('no-mx-1.example')).rejects.toMatchObject({ code: 'ENODATA' })
    expect(await resolver.resolve4('no-mx-1.example')).toHaveLength(1)
    expect(await resolver.resolveMx('null-mx.example')).toMatchObject([{ exchange: '', priority: 0 }])
    await expect(resolver.resolveMx('no-such-domain.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolveMx('servfail.example')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  })

  it('resolves every ISP address back to its host', async () => {
    for (const { address, host } of world.addresses.all) expect(await resolver.reverse(address)).toEqual([host])
  })

  it('gives TTLs with what there is and an SOA with what there is not', async () => {
    const mx = await ask('gmail.com', 'MX')
    expect(mx.answers?.map((one) => ('ttl' in one ? one.ttl : null))).toEqual([60, 60])
    const none = await ask('no-such-domain.example', 'MX')
    expect([none.rcode, none.authorities?.map(({ type, name }) => `${type} ${name}`)]).toEqual([3, ['SOA no-such-domain.example']])
    const noData = await ask('gmail.com', 'AAAA')
    expect([noData.rcode, noData.answers?.length, noData.authorities?.[0]?.type]).toEqual([0, 0, 'SOA'])
    const between = await ask('google.com', 'A')
    expect([between.rcode, between.answers?.length]).toEqual([0, 0])
    expect((await ask('gmail.com', 'SOA')).answers?.[0]).toMatchObject({ type: 'SOA', name: 'gmail.com', data: { minimum: 30 } })
  })

  it('drops rubbish without dying of it', async () => {
    const socket = dgram.createSocket('udp4')
    socket.send(Buffer.from('this is no DNS'), world.dnsPort, '127.0.0.1', () => socket.close())
    await once(socket, 'close')
    expect(await resolver.resolve4('aspmx.l.google.com')).toHaveLength(1)
  })
})

describe('DNS faults', () => {
  it('drops the first query only, so that a client which repeats gets its answer', async () => {
    world.dnsFault('orange.fr', 'drop-first')
    const began = performance.now()
    expect(await resolver.resolveMx('orange.fr')).toHaveLength(1)
    expect(performance.now() - began).toBeGreaterThan(100)
    world.dnsFault('orange.fr', null)
  })

  it('truncates over UDP, so that the answer comes over TCP', async () => {
    world.dnsFault('docomo.ne.jp', 'truncate')
    expect(await ask('docomo.ne.jp', 'MX')).toMatchObject({ truncated: true, answers: [] })
    expect(await resolver.resolveMx('docomo.ne.jp')).toHaveLength(1)
    world.dnsFault('docomo.ne.jp', null)
  })

  it('answers SERVFAIL or NXDOMAIN for a name, for all below it, or for everything, until it is lifted', async () => {
    world.dnsFault('*.l.google.com', 'servfail')
    await expect(resolver.resolve4('aspmx.l.google.com')).rejects.toMatchObject({ code: 'ESERVFAIL' })
    world.dnsFault('*.l.google.com', null)
    world.dnsFault('*', 'nxdomain')
    await expect(resolver.resolveMx('gmail.com')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    world.dnsFault('*', null)
    expect(await resolver.resolveMx('gmail.com')).toHaveLength(2)
  })
})

describe('DNS of the sending side', () => {
  it('publishes SPF, DKIM, DMARC, MX and PTR for a fleet', async () => {
    const key = 'M'.repeat(400)
    world.publishSenderRecords({
      sources: [
        { address: '127.0.1.1', ehlo: 'mx1.hato.example' },
        { address: '127.0.1.2', ehlo: 'mx2.hato.example' },
      ],
      tenants: [{ domains: ['acme.example'], returnPath: 'bounce.acme.example' }],
      dkim: [{ domain: 'acme.example', selector: 's1', publicKey: `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n` }],
    })
    for (const domain of ['acme.example', 'bounce.acme.example']) {
      expect(await resolver.resolveTxt(domain)).toEqual([['v=spf1 ip4:127.0.1.1 ip4:127.0.1.2 -all']])
      const [mx] = await resolver.resolveMx(domain)
      expect(await resolver.resolve4(mx?.exchange ?? '')).toEqual(['127.0.2.250'])
    }
    expect((await resolver.resolveTxt('s1._domainkey.acme.example')).map((parts) => parts.join(''))).toEqual([`v=DKIM1; k=rsa; p=${key}`])
    expect((await resolver.resolveTxt('_dmarc.acme.example'))[0]?.join('')).toMatch(/^v=DMARC1; p=reject/)
    expect(await resolver.reverse('127.0.1.2')).toEqual(['mx2.hato.example'])
    expect(await resolver.resolve4('mx2.hato.example')).toEqual(['127.0.1.2'])
  })

  it('replaces what it published before', async () => {
    const publish = (address: string) =>
      world.publishSenderRecords({
        sources: [{ address, ehlo: 'mx9.hato.example' }],
        tenants: [{ domains: ['beta.example'], returnPath: 'b.beta.example' }],
        dkim: [],
      })
    publish('127.0.1.8')
    publish('127.0.1.9')
    expect(await resolver.resolveTxt('beta.example')).toEqual([['v=spf1 ip4:127.0.1.9 -all']])
    expect(await resolver.resolve4('mx9.hato.example')).toEqual(['127.0.1.9'])
  })

  it('reverses IPv6 addresses by nibbles', () => {
    expect(reverseName('2001:db8::567:89ab')).toBe('b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa')
  })
})
