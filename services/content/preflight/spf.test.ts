import fc from 'fast-check'
import { spf as referenceSpf } from 'mailauth/lib/spf/index.js'
import { describe, expect, it } from 'vitest'
import { type Found, type LookUp, runCheck } from './look-up.ts'
import { evaluateSpf } from './spf.ts'

type Zone = Readonly<Record<string, Readonly<Partial<Record<LookUp['type'], readonly string[]>>> | 'broken'>>

const lookUpIn =
  (zone: Zone) =>
  async ({ name, type }: LookUp): Promise<Found> => {
    const node = zone[name]
    if (node === 'broken') return { kind: 'unknown', because: 'SERVFAIL' }
    const records = node?.[type] ?? []
    return records.length === 0 ? { kind: 'none' } : { kind: 'records', records }
  }
const ask = (zone: Zone, address: string, domain = 'acme.example') => runCheck(evaluateSpf({ address, domain }), lookUpIn(zone))
const txt = (record: string) => ({ TXT: [record] })

describe('SPF', () => {
  it.each([
    ['v=spf1 ip4:203.0.113.0/24 -all', '203.0.113.7', 'pass'],
    ['v=spf1 ip4:203.0.113.0/24 -all', '203.0.114.7', 'fail'],
    ['v=spf1 ip6:2001:db8::/32 ~all', '2001:db8::25', 'pass'],
    ['v=spf1 ip6:2001:db8::/32 ~all', '203.0.113.7', 'softfail'],
    ['v=spf1 ?all', '203.0.113.7', 'neutral'],
    ['v=spf1 ip4:203.0.113.1', '203.0.113.7', 'neutral'],
    ['v=spf1 a mx -all', '203.0.113.10', 'pass'],
    ['v=spf1 a/30 -all', '203.0.113.8', 'pass'],
    ['v=spf1 mx:other.example -all', '203.0.113.20', 'pass'],
    ['v=spf1 include:other.example -all', '203.0.113.30', 'pass'],
    ['v=spf1 include:nothing.example -all', '203.0.113.30', 'permerror'],
    ['v=spf1 redirect=other.example', '203.0.113.30', 'pass'],
    ['v=spf1 exists:%{ir}.%{v}.list.example -all', '203.0.113.7', 'pass'],
    ['v=spf1 exists:%{d2}.known.example -all', '203.0.113.7', 'pass'],
    ['v=spf1 ptr -all', '203.0.113.10', 'pass'],
    ['v=spf1 ip4:203.0.113.7 -al', '203.0.113.7', 'permerror'],
    ['v=spf1 ip4:203.0.113.999 -all', '203.0.113.7', 'permerror'],
    ['v=spf1 include:broken.example -all', '203.0.113.7', 'temperror'],
    ['v=spf10 +all', '203.0.113.7', 'none'],
    ['V=SPF1 +ALL', '203.0.113.7', 'pass'],
    ['v=spf1 include:loop.example -all', '203.0.113.7', 'permerror'],
  ])('%s from %s: %s', async (record, address, result) => {
    const zone: Zone = {
      'acme.example': { ...txt(record), A: ['203.0.113.10'], MX: ['mx.acme.example'] },
      'mx.acme.example': { A: ['203.0.113.11'] },
      'other.example': { ...txt('v=spf1 ip4:203.0.113.30 -all'), MX: ['mx.other.example'] },
      'mx.other.example': { A: ['203.0.113.20'] },
      '7.113.0.203.in-addr.list.example': { A: ['127.0.0.2'] },
      'acme.example.known.example': { A: ['127.0.0.2'] },
      '10.113.0.203.in-addr.arpa': { PTR: ['acme.example'] },
      'broken.example': 'broken',
      'loop.example': txt('v=spf1 include:loop.example -all'),
    }
    expect(await ask(zone, address)).toMatchObject({ result })
  })

  it('says which record decided, and why nothing does', async () => {
    expect(await ask({ 'acme.example': txt('v=spf1 ip4:198.51.100.1 -all') }, '203.0.113.7')).toEqual({ result: 'fail', because: 'acme.example: -all' })
    expect(await ask({}, '203.0.113.7')).toEqual({ result: 'none', because: 'acme.example has no SPF record' })
    expect(await ask({ 'acme.example': { TXT: ['v=spf1 -all', 'v=spf1 +all'] } }, '203.0.113.7')).toMatchObject({ result: 'permerror' })
  })

  // Without malformed terms: mailauth does not see those behind the one that matches, RFC 7208 4.6 wants them seen.
  it('agrees with mailauth on any well-formed records', async () => {
    const domains = ['acme.example', 'a.example', 'b.example', 'c.example']
    const addresses = ['203.0.113.1', '203.0.113.2', '198.51.100.1', '2001:db8::1']
    const domain = fc.constantFrom(...domains)
    const term = fc.oneof(
      fc.constantFrom(
        'ip4:203.0.113.1',
        'ip4:203.0.113.0/31',
        'ip4:198.51.100.0/24',
        'ip6:2001:db8::/64',
        'a',
        'mx',
        'a/24',
        'mx/31',
        'exists:%{i}.x.example',
        'foo=bar',
      ),
      domain.map((to) => `include:${to}`),
      domain.map((to) => `a:${to}`),
    )
    const record = fc
      .tuple(
        fc.array(fc.tuple(fc.constantFrom('', '-', '~', '?'), term), { maxLength: 4 }),
        fc.option(
          fc.oneof(
            fc.constantFrom('-all', '~all', '?all', '+all'),
            domain.map((to) => `redirect=${to}`),
          ),
        ),
      )
      .map(([terms, end]) => ['v=spf1', ...terms.map(([sign, text]) => (text.includes('=') ? text : sign + text)), ...(end === null ? [] : [end])].join(' '))
    // Every name has addresses of both kinds: mailauth counts names without any differently (RFC 7208 4.6.4 leaves it open).
    const node = fc.record({
      TXT: fc.option(record).map((text) => (text === null ? ['nothing'] : [text])),
      address: fc.constantFrom(...addresses.slice(0, 3)),
      mx: domain,
    })
    await fc.assert(
      fc.asyncProperty(fc.tuple(node, node, node, node), fc.constantFrom(...addresses), async (nodes, address) => {
        const zone: Zone = Object.fromEntries(nodes.map(({ TXT, address: own, mx }, at) => [domains[at], { TXT, A: [own], AAAA: ['2001:db8:1::1'], MX: [mx] }]))
        const resolver = async (name: string, type: string): Promise<unknown[]> => {
          const found = await lookUpIn(zone)({ name: name.toLowerCase(), type: type as LookUp['type'] })
          if (found.kind !== 'records') throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
          if (type === 'TXT') return found.records.map((text) => [text])
          return type === 'MX' ? found.records.map((exchange) => ({ exchange, priority: 10 })) : [...found.records]
        }
        const reference = await referenceSpf({ sender: 'postmaster@acme.example', ip: address, helo: 'acme.example', mta: 'mx', resolver } as never)
        const own = await ask(zone, address)
        expect(own.result, JSON.stringify({ zone, address, own, reference: (reference as { status: unknown }).status })).toBe(
          (reference as { status: { result: string } }).status.result,
        )
      }),
      { numRuns: 300 },
    )
  })
})
