import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeProviders } from './providers/merge.ts'
import { BUILT_IN_PROVIDERS, providerTable } from './providers/table.ts'
import { allShards, shardOf, siteOf } from './site.ts'
import type { SiteQuestion } from './site.ts'
import { siteName } from './site-name.ts'
import { token } from './tokens.ts'

const providers = providerTable(BUILT_IN_PROVIDERS)

/** Enough of the public-suffix list for these tests: `co.jp`, `ne.jp`, and every last label. */
function registrableDomain(name: string): string | null {
  const labels = name.split('.')
  if (/^[\d.]+$/.test(name) || name.includes(':')) return null
  const keep = /\.(co|ne)\.jp$/.test(name) ? 3 : 2
  return labels.length < keep ? null : labels.slice(-keep).join('.')
}

function ask(domain: string, hosts: readonly string[], more: Partial<SiteQuestion> = {}) {
  const at = (host: string, preference: number) => ({ preference, host })
  return siteOf({ domain, hosts: hosts.map((host) => at(host, 10)), addressesOf: () => null, registrableDomain, providers, ...more })
}

describe('the site of a provider', () => {
  it('is the provider, when all hosts of the best preference are its', () => {
    expect(ask('acme.example', ['aspmx.l.google.com'])).toEqual({ site: 'google', provider: 'google', shard: 'google', why: 'provider' })
  })

  it('does not ask whose domain it is: domains move', () => {
    expect(ask('comcast.net', ['mx-comcast.mail.am0.yahoodns.net']).site).toBe('yahoo')
  })

  it('is the host set where a filter serves each customer apart', () => {
    expect(ask('acme.example', ['mx0b-1.pphosted.com', 'MX0A-1.pphosted.com.'])).toMatchObject({
      site: 'proofpoint/mx0a-1.pphosted.com/mx0b-1.pphosted.com',
      provider: 'proofpoint',
      shard: 'proofpoint',
      why: 'provider-hosts',
    })
  })

  it('is the domain where the customer sets the limit', () => {
    expect(ask('acme.example', ['d1a.ess.barracudanetworks.com']).site).toBe('barracuda/acme.example')
  })

  it('is not a provider whose name merely ends alike, nor one of two that share the preference', () => {
    expect(ask('acme.example', ['mx.notgoogle.com']).site).toBe('notgoogle.com')
    expect(ask('acme.example', ['aspmx.l.google.com', 'mx.other.example'])).toMatchObject({ provider: null, why: 'mx-hosts' })
  })

  it('looks at the best preference only', () => {
    const hosts = [
      { preference: 20, host: 'backup.other.example' },
      { preference: 10, host: 'aspmx.l.google.com' },
    ]
    expect(ask('acme.example', [], { hosts }).site).toBe('google')
  })

  it('is what the fleet file says for a domain of its own', () => {
    const fleet = mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'intern', domains: ['Corp.Example'], host: '127.0.0.1', port: 24, protocol: 'lmtp' }])
    expect(ask('corp.example', ['aspmx.l.google.com'], { providers: providerTable(fleet) })).toEqual({
      site: 'intern',
      provider: 'intern',
      shard: 'intern',
      why: 'fleet-domain',
    })
  })
})

describe('the site of everybody else', () => {
  it('is one for 500 vanity domains on one box', () => {
    const addressesOf = () => ['198.51.100.25']
    const sites = Array.from({ length: 500 }, (_, n) => ask(`shop${n}.example`, [`mail.shop${n}.example`], { addressesOf }))
    expect(new Set(sites.map(({ site }) => site))).toEqual(new Set(['box/198.51.100.25']))
    expect(new Set(sites.map(({ shard }) => shard)).size).toBe(1)
  })

  it('is the smallest IPv4 address of the box, whatever else it has and whatever the order', () => {
    const addressesOf = () => ['2001:db8::1', '198.51.100.25', '198.51.100.9']
    expect(ask('shop.example', ['mail.shop.example'], { addressesOf }).site).toBe('box/198.51.100.9')
    expect(ask('shop.example', ['mail.shop.example'], { addressesOf: () => ['2001:db8::1'] }).site).toBe('box/2001:db8::1')
  })

  it("is the box too when the domain's mail host is the domain itself, or its parent's", () => {
    const addressesOf = () => ['198.51.100.25']
    expect(ask('shop.example', ['shop.example'], { addressesOf }).site).toBe('box/198.51.100.25')
    expect(ask('sales.shop.example', ['mail.shop.example'], { addressesOf }).site).toBe('box/198.51.100.25')
  })

  it('is the box of an address literal', () => {
    expect(ask('[198.51.100.25]', ['198.51.100.25']).site).toBe('box/198.51.100.25')
  })

  it('is the domain itself while its addresses are not known', () => {
    expect(ask('shop.example', ['mail.shop.example'])).toMatchObject({ site: 'shop.example', why: 'mx-domain' })
  })

  it('is the registrable domain that runs all hosts', () => {
    expect(ask('shop.example', ['mx1.isp.co.jp', 'mx2.isp.co.jp'])).toMatchObject({ site: 'isp.co.jp', provider: null, why: 'mx-domain' })
  })

  it('is the host set when it has several owners or none, in any order', () => {
    expect(ask('shop.example', ['mx.b.example', 'mx.a.test']).site).toBe('mx/mx.a.test/mx.b.example')
    expect(ask('shop.example', ['intranet']).site).toBe('mx/intranet')
  })
})

const label = fc.stringMatching(/^[a-z0-9_](?:[a-z0-9_-]{0,20}[a-z0-9_])?$/)
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'))
const host = fc.oneof(name, fc.constantFrom('aspmx.l.google.com', 'mx0a-1.pphosted.com', 'mx0b-1.pphosted.com', 'd1.ess.barracudanetworks.com'), fc.ipV4())
const question = fc.record({
  domain: name,
  hosts: fc.array(fc.record({ preference: fc.constantFrom(10, 20), host }), { minLength: 1, maxLength: 6 }),
  addresses: fc.option(fc.array(fc.ipV4(), { maxLength: 3 })),
})

describe('every site', () => {
  it('is a subject token of at most 100 characters, in a shard that exists', () => {
    const shards = new Set(allShards(providers))
    fc.assert(
      fc.property(question, ({ domain, hosts, addresses }) => {
        const { site, shard, provider } = siteOf({ domain, hosts, addressesOf: () => addresses, registrableDomain, providers })
        expect(site.length).toBeLessThanOrEqual(100)
        expect(token(site)).toMatch(/^[a-z0-9_/=-]+$/)
        expect(shards).toContain(shard)
        expect(provider === null ? shard : provider).toBe(shard)
      }),
    )
  })

  it('does not depend on the order, the case or the doubling of hosts and addresses', () => {
    fc.assert(
      fc.property(question, ({ domain, hosts, addresses }) => {
        const one = siteOf({ domain, hosts, addressesOf: () => addresses, registrableDomain, providers })
        const mixed = [...hosts, ...hosts].reverse().map(({ preference, host }) => ({ preference, host: `${host.toUpperCase()}.` }))
        expect(
          siteOf({ domain, hosts: mixed, addressesOf: () => (addresses === null ? null : [...addresses].reverse()), registrableDomain, providers }),
        ).toEqual(one)
      }),
    )
  })

  it('keeps its name apart from every other in its token form too', () => {
    const scope = fc.constantFrom('mx', 'barracuda', 'proofpoint')
    const part = fc.oneof(name, fc.constantFrom('a.b', 'a_b', 'a-b', 'b', 'a', 'a:b'), fc.ipV4())
    const scoped = fc.tuple(scope, fc.array(part, { minLength: 1, maxLength: 4 }))
    const plain = fc.tuple(
      fc.constant(null),
      part.map((domain) => [domain]),
    )
    const tricky = fc.constantFrom<[string | null, string[]]>(
      ['barracuda', ['a.b']],
      [null, ['barracuda-a.b']],
      ['box', ['a']],
      [null, ['box-a']],
      ['mx', ['a', 'b']],
      ['mx', ['a.b']],
    )
    const box = fc.tuple(
      fc.constant('box'),
      fc.oneof(fc.ipV4(), fc.ipV6()).map((address) => [address]),
    )
    const parts = fc.oneof(scoped, plain, box, tricky)
    fc.assert(
      fc.property(parts, parts, ([scopeA, a], [scopeB, b]) => {
        fc.pre(JSON.stringify([scopeA, a]) !== JSON.stringify([scopeB, b]))
        expect(token(siteName(scopeA, a))).not.toBe(token(siteName(scopeB, b)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('stays apart when it is too long to be written out', () => {
    const long = (end: string) => siteName('mx', [`${'x'.repeat(60)}.${'y'.repeat(60)}.${end}`])
    expect(long('a')).not.toBe(long('b'))
    expect(long('a')).toHaveLength(100)
  })
})

describe('shards of the tail', () => {
  it('share sites about evenly, the same in every process', () => {
    const counts = new Map<string, number>()
    for (let n = 0; n < 3_200; n += 1) {
      const shard = shardOf(`site${n}.example`, null)
      counts.set(shard, (counts.get(shard) ?? 0) + 1)
    }
    expect(counts.size).toBe(32)
    expect(Math.max(...counts.values())).toBeLessThan(200)
    expect(shardOf('example.jp', null)).toMatch(/^t[0-3]\d$/)
    expect(shardOf('site0.example', null)).toBe(shardOf('site0.example', null))
  })
})
