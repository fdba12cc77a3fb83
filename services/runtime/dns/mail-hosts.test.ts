import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { a, aaaa, mx, SOA, startNameServer } from './name-server.fixture.ts'
import type { NameServer, Said } from './name-server.fixture.ts'
import { createResolver } from './resolver.ts'
import type { Resolver } from './resolver.ts'

const NODATA: Said = { authorities: [SOA(60)] }
const NXDOMAIN: Said = { rcode: 3, authorities: [SOA(60)] }
const SERVFAIL: Said = { rcode: 2 }

const ZONE: Readonly<Record<string, Said>> = {
  'MX good.example': {
    answers: [mx('good.example', 20, 'MX2.Good.Example.'), mx('good.example', 10, 'mx1.good.example'), mx('good.example', 30, 'mx1.good.example')],
  },
  'MX null.example': { answers: [mx('null.example', 0, '.')] },
  'MX mixed.example': { answers: [mx('mixed.example', 0, '.'), mx('mixed.example', 10, 'mx.mixed.example')] },
  'MX address.example': { answers: [mx('address.example', 10, '192.0.2.1')] },
  'MX nothing.example': NXDOMAIN,
  'MX broken.example': SERVFAIL,
  'A only-a.example': { answers: [a('only-a.example', '192.0.2.1')] },
  'AAAA only-aaaa.example': { answers: [aaaa('only-aaaa.example', '2001:db8::1')] },
  'A half-broken.example': SERVFAIL,
  'MX xn--r8jz45g.example': { answers: [mx('xn--r8jz45g.example', 10, 'mx.example')] },
}

let server: NameServer
let resolver: Resolver
beforeAll(async () => {
  server = await startNameServer(({ type, name }) => ZONE[`${type} ${name}`] ?? NODATA)
  resolver = createResolver({ servers: [server.at] })
})
afterAll(async () => {
  await resolver[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe('where mail goes', () => {
  it('to the MX hosts by preference, each once, in plain form', async () => {
    expect(await resolver.mailHosts('GOOD.example.')).toEqual({
      kind: 'hosts',
      hosts: [
        { preference: 10, host: 'mx1.good.example' },
        { preference: 20, host: 'mx2.good.example' },
      ],
      implicit: false,
      ttlS: 300,
    })
  })

  it('nowhere when the only MX is the root (RFC 7505)', async () => {
    expect(await resolver.mailHosts('null.example')).toMatchObject({ kind: 'null-mx' })
  })

  it('past the root when there are other hosts beside it', async () => {
    expect(await resolver.mailHosts('mixed.example')).toMatchObject({ kind: 'hosts', hosts: [{ host: 'mx.mixed.example' }] })
  })

  it('nowhere when the MX is an IP address (RFC 5321 5.1 forbids it)', async () => {
    expect(await resolver.mailHosts('address.example')).toMatchObject({ kind: 'no-mail' })
  })

  it.each(['only-a.example', 'only-aaaa.example'])('to the domain itself when it has an address and no MX: %s', async (domain) => {
    expect(await resolver.mailHosts(domain)).toMatchObject({ kind: 'hosts', hosts: [{ preference: 0, host: domain }], implicit: true })
  })

  it('nowhere when there is neither MX nor address', async () => {
    expect(await resolver.mailHosts('empty.example')).toMatchObject({ kind: 'no-mail', ttlS: 60 })
  })

  it('nowhere when the domain does not exist, or cannot exist', async () => {
    expect(await resolver.mailHosts('nothing.example')).toMatchObject({ kind: 'nxdomain', ttlS: 60 })
    expect(await resolver.mailHosts(`${'x'.repeat(64)}.example`)).toMatchObject({ kind: 'nxdomain' })
    expect(await resolver.mailHosts('a..example')).toMatchObject({ kind: 'nxdomain' })
  })

  it('is not known while the resolver fails, be it for the MX or for the address', async () => {
    expect(await resolver.mailHosts('broken.example')).toMatchObject({ kind: 'tempfail', because: expect.stringContaining('SERVFAIL') })
    expect(await resolver.mailHosts('half-broken.example')).toMatchObject({ kind: 'tempfail' })
  })

  it('asks for the ASCII form of an international domain', async () => {
    expect(await resolver.mailHosts('例え.example')).toMatchObject({ kind: 'hosts', hosts: [{ host: 'mx.example' }] })
  })

  it.each([
    ['[192.0.2.7]', '192.0.2.7'],
    ['[IPv6:2001:DB8::7]', '2001:db8::7'],
  ])('to the address of the literal %s', async (domain, host) => {
    expect(await resolver.mailHosts(domain)).toMatchObject({ kind: 'hosts', hosts: [{ preference: 0, host }], implicit: true })
  })
})
