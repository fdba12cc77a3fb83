import { describe, expect, it } from 'vitest'
import type { Lease } from '../../protocol/messages/permission.ts'
import type { Resolver } from '../runtime/dns/resolver.ts'
import { leadsTo, Routes } from './routes.ts'

const MX = [
  { preference: 1, host: 'mta5.example' },
  { preference: 1, host: 'mta6.example' },
  { preference: 1, host: 'mta7.example' },
  { preference: 9, host: 'backup.example' },
]
const resolver: Partial<Resolver> = {
  mailHosts: async () => ({ kind: 'hosts', hosts: MX, implicit: false, ttlS: 60 }),
  addresses: async (host) => ({ kind: 'addresses', addresses: [`127.0.2.${host.length}`], ttlS: 60 }),
}
const WAY = { terms: {}, bind: '127.0.0.1', egress: 'bind' } as Lease
const NETWORK = { smtpPort: 25, allowPrivateMx: true, onlyPrivateMx: false }
const routes = () => new Routes({ resolver: resolver as Resolver, mono: () => 0, dice: Math.random, firstRestMs: () => 60_000 })
const route = async (routes: Routes) => {
  const found = await routes.of('a.example', WAY, NETWORK)
  if (found.kind !== 'hops') throw new Error(found.kind)
  return found
}

describe('the route to a domain', () => {
  it('tries two hosts an attempt, and an open session to any of the same preference takes the mail too', async () => {
    const { hops, hosts } = await route(routes())
    expect(new Set(hops.map(({ host }) => host)).size).toBe(2)
    expect([...hosts].sort()).toEqual(['mta5.example', 'mta6.example', 'mta7.example'])
  })

  it('leads to an open session at the same address, under whatever name: customers of one box share it', async () => {
    const box = { ...resolver, addresses: async () => ({ kind: 'addresses', addresses: ['127.0.2.9'], ttlS: 60 }) as const }
    const found = await route(new Routes({ resolver: box as Resolver, mono: () => 0, dice: Math.random, firstRestMs: () => 60_000 }))
    expect(leadsTo(found, { host: 'mx.shop-001.example', address: '127.0.2.9' })).toBe(true)
    expect(leadsTo(found, { host: 'mx.shop-001.example', address: '127.0.2.8' })).toBe(false)
    expect(leadsTo(found, { host: 'mta6.example', address: '127.0.2.8' })).toBe(true)
  })

  it('leads to the backup host only when the others are out of reach', async () => {
    const known = routes()
    for (const { host } of MX.slice(0, 3)) known.failed(host, 'refused')
    const { hops, hosts } = await route(known)
    expect(hops.map(({ host }) => host)).toEqual(['backup.example'])
    expect([...hosts]).toEqual(['backup.example'])
  })
})

describe('the addresses of a host', () => {
  const asked = async (bind: string, egress = 'bind') => {
    const families: unknown[] = []
    const addresses: Resolver['addresses'] = async (_, family) => {
      families.push(family)
      return { kind: 'none', ttlS: 60 }
    }
    const route = await new Routes({ resolver: { ...resolver, addresses } as Resolver, mono: () => 0, dice: Math.random, firstRestMs: () => 60_000 }).of(
      'a.example',
      { ...WAY, bind, egress },
      NETWORK,
    )
    return { families: new Set(families), route }
  }

  it('are those that the source can reach: nothing else is asked for', async () => {
    expect(await asked('192.0.2.1')).toMatchObject({ families: new Set([4]), route: { kind: 'dns', because: expect.stringContaining('has no IPv4 address') } })
    expect((await asked('2001:db8::1')).families).toEqual(new Set([6]))
    expect((await asked('192.0.2.1', 'auto')).families).toEqual(new Set(['any']))
  })
})

describe('a host that failed', () => {
  it('is left alone for a minute, however many sessions met the same outage, and for longer only when it fails again after that', async () => {
    let now = 0
    const known = new Routes({ resolver: resolver as Resolver, mono: () => now, dice: Math.random, firstRestMs: () => 60_000 })
    const restOf = async () => {
      const found = await known.of('a.example', WAY, NETWORK)
      return found.kind === 'down' ? found.untilMs : found.kind
    }
    const fail = (sessions: number) => {
      for (let session = 0; session < sessions; session++) for (const { host } of MX) known.failed(host, 'ETIMEDOUT')
    }
    fail(5)
    expect(await restOf()).toBe(60_000)
    now = 59_000
    fail(1) // a connect that had begun before
    expect(await restOf()).toBe(1_000)
    now = 60_000
    expect(await restOf()).toBe('hops')
    fail(5)
    expect(await restOf()).toBe(300_000)
  })
})

describe('a backup MX of another site', () => {
  const sitesOf = async () => [
    { site: { site: 'own', provider: null, shard: 't00', why: 'mx-domain' as const }, hosts: MX.slice(0, 3) },
    { site: { site: 'elsewhere', provider: null, shard: 't01', why: 'mx-domain' as const }, hosts: MX.slice(3) },
  ]
  const hostsUnder = async (known: Routes, site: string) => {
    const found = await known.of('a.example', { ...WAY, site }, NETWORK)
    return found.kind === 'hops' ? [...found.hosts].sort() : found.kind
  }

  it('is reached under its own site’s lease and under no other', async () => {
    const known = new Routes({ resolver: resolver as Resolver, mono: () => 0, dice: Math.random, firstRestMs: () => 60_000, sitesOf })
    expect(await hostsUnder(known, 'own')).toEqual(['mta5.example', 'mta6.example', 'mta7.example'])
    expect(await hostsUnder(known, 'elsewhere')).toEqual(['backup.example'])
    expect(await hostsUnder(known, 'somewhere-else')).toEqual(['mta5.example', 'mta6.example', 'mta7.example'])
    for (const { host } of MX.slice(0, 3)) known.failed(host, 'refused')
    expect(await hostsUnder(known, 'own')).toBe('down')
    expect(await hostsUnder(known, 'elsewhere')).toEqual(['backup.example'])
  })
})

describe('hosts that take no mail at all', () => {
  it('end a domain once every one of its hosts has said so, and not before', async () => {
    const known = routes()
    for (const { host } of MX.slice(0, 3)) known.failed(host, '521 no mail here', true)
    known.failed('backup.example', 'ECONNREFUSED')
    expect(await known.of('a.example', WAY, NETWORK)).toMatchObject({ kind: 'down' })
    known.failed('backup.example', '521 no mail here', true)
    expect(await known.of('a.example', WAY, NETWORK)).toMatchObject({ kind: 'none', class: 'null-mx' })
    expect((await route(routes())).every).toEqual(MX.map(({ host }) => host))
  })

  it('have said so for longer than they are left alone: hosts of several sites are asked one after the other', async () => {
    let now = 0
    const known = new Routes({ resolver: resolver as Resolver, mono: () => now, dice: Math.random, firstRestMs: () => 60_000 })
    for (const { host } of MX) {
      known.failed(host, '521 no mail here', true)
      now += 61_000
    }
    expect(MX.every(({ host }) => known.takesNone(host))).toBe(true)
    known.worked({ host: MX[0]?.host ?? '', address: '192.0.2.1', port: 25 })
    now += 1_800_000
    expect(MX.some(({ host }) => known.takesNone(host))).toBe(false)
  })
})
