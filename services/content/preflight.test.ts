import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Fleet } from '../../protocol/fleet.ts'
import { loadDkimKeys } from './dkim-keys.ts'
import { campaignChecks, type Finding, fleetChecks, type Found, headerSpfProblem, type LookUp, preflightProblems, runCheck } from './preflight.ts'

type Zone = Record<string, Partial<Record<LookUp['type'], readonly string[]>> | 'broken'>

const pem = (type: 'rsa' | 'ed25519') => {
  const { privateKey } = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
const RSA = pem('rsa')
const NOW = Date.UTC(2026, 10, 24)

const fleet = Fleet.parse({
  tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
  pool: [
    { name: 'acme', tenants: ['acme'] },
    { name: 'other', tenants: [] },
  ],
  ip: [
    { address: '203.0.113.7', pool: 'acme', ehlo: 'mx7.hato.example' },
    { address: '2001:db8::7', pool: 'acme', ehlo: 'mx6.hato.example' },
    { address: '198.51.100.9', pool: 'other', ehlo: 'mx9.hato.example' },
  ],
  dkim: [{ domain: 'acme.example', tenants: ['acme'], selector: 's1', key: RSA }],
})
const keysOf = (rows: readonly { domain: string; selector: string; pem: string }[]) => loadDkimKeys(rows.map((row) => ({ ...row, tenants: ['acme'] }))).keys
const KEYS = keysOf([{ domain: 'acme.example', selector: 's1', pem: RSA }])
const SPF = 'v=spf1 ip4:203.0.113.7 ip6:2001:db8::/64 -all'
const NIBBLES = `7${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa`

/** Everything as it should be. */
const good = (): Zone => ({
  'acme.example': { MX: ['mx.acme.example'], TXT: ['some-verification=1', SPF] },
  's1._domainkey.acme.example': { TXT: [KEYS[0]?.dnsRecord ?? ''] },
  '_dmarc.acme.example': { TXT: ['v=DMARC1; p=reject'] },
  'bounce.acme.example': { MX: ['mx.acme.example'], TXT: [SPF] },
  '7.113.0.203.in-addr.arpa': { PTR: ['mx7.hato.example'] },
  'mx7.hato.example': { A: ['203.0.113.7'] },
  [NIBBLES]: { PTR: ['mx6.hato.example'] },
  'mx6.hato.example': { AAAA: ['2001:db8:0:0:0:0:0:7'] },
})

async function findings(zone: Zone, keys = KEYS): Promise<readonly Finding[]> {
  const lookUp = async ({ name, type }: LookUp): Promise<Found> => {
    const node = zone[name]
    if (node === 'broken') return { kind: 'unknown', because: `${type} ${name}: the resolver says SERVFAIL` }
    const records = node?.[type] ?? []
    return records.length === 0 ? { kind: 'none' } : { kind: 'records', records }
  }
  const checks = campaignChecks({ fleet, fromDomain: 'acme.example', pool: 'acme', keys, tenant: 'acme', at: NOW })
  return (await Promise.all(checks.map((check) => runCheck(check, lookUp)))).flat()
}
const notGood = (all: readonly Finding[]) => all.filter(({ verdict }) => verdict !== 'good')

describe('preflight', () => {
  it('finds nothing wrong where everything is published, and looks at everything', async () => {
    const all = await findings(good())
    expect(notGood(all)).toEqual([])
    expect(all.map(({ about }) => about).sort()).toEqual(['dkim', 'dmarc', 'from', 'header-spf', 'ptr', 'ptr', 'return-path', 'spf'])
  })

  it.each<[string, (zone: Zone) => void, Partial<Finding>]>([
    [
      'no DKIM record',
      (zone) => delete zone['s1._domainkey.acme.example'],
      { about: 'dkim', verdict: 'bad', publish: { name: 's1._domainkey.acme.example', type: 'TXT', text: KEYS[0]?.dnsRecord ?? '' } },
    ],
    [
      'another DKIM key',
      (zone) => (zone['s1._domainkey.acme.example'] = { TXT: ['v=DKIM1; p=AAAA'] }),
      { about: 'dkim', verdict: 'bad', message: 'DNS shows another key than the one that signs' },
    ],
    [
      'a revoked DKIM key',
      (zone) => (zone['s1._domainkey.acme.example'] = { TXT: ['v=DKIM1; p='] }),
      { about: 'dkim', verdict: 'bad', message: 'the key is revoked in DNS (p= is empty)' },
    ],
    ['a DKIM key in test', (zone) => (zone['s1._domainkey.acme.example'] = { TXT: [`${KEYS[0]?.dnsRecord}; t=y`] }), { about: 'dkim', verdict: 'warning' }],
    ['no DMARC record', (zone) => delete zone['_dmarc.acme.example'], { about: 'dmarc', verdict: 'bad' }],
    [
      'a DMARC record without policy',
      (zone) => (zone['_dmarc.acme.example'] = { TXT: ['v=DMARC1; rua=mailto:a@acme.example'] }),
      { about: 'dmarc', verdict: 'bad' },
    ],
    ['From that takes no mail', (zone) => (zone['acme.example'] = { TXT: [SPF], MX: ['.'] }), { about: 'from', verdict: 'bad' }],
    ['From that does not exist', (zone) => (zone['acme.example'] = { TXT: [SPF] }), { about: 'from', verdict: 'bad' }],
    ['no MX of the return path', (zone) => (zone['bounce.acme.example'] = { TXT: [SPF] }), { about: 'return-path', verdict: 'bad' }],
    [
      'no SPF of the return path',
      (zone) => (zone['bounce.acme.example'] = { MX: ['mx.acme.example'] }),
      { about: 'spf', verdict: 'bad', publish: { name: 'bounce.acme.example', type: 'TXT', text: 'v=spf1 ip4:203.0.113.7 ip6:2001:db8::7 -all' } },
    ],
    [
      'SPF of the return path that lacks an IP',
      (zone) => (zone['bounce.acme.example'] = { MX: ['mx.acme.example'], TXT: ['v=spf1 ip4:203.0.113.7 -all'] }),
      {
        about: 'spf',
        verdict: 'bad',
        message: 'SPF does not pass for 2001:db8::7 (fail: bounce.acme.example: -all); its record needs ip6:2001:db8::7 before "all"',
        publish: { name: 'bounce.acme.example', type: 'TXT', text: 'v=spf1 ip4:203.0.113.7 ip6:2001:db8::7 -all' },
      },
    ],
    [
      'SPF of From that lacks the pool',
      (zone) => (zone['acme.example'] = { MX: ['mx.acme.example'], TXT: ['v=spf1 -all'] }),
      { about: 'header-spf', verdict: 'warning' },
    ],
    [
      'no PTR',
      (zone) => delete zone['7.113.0.203.in-addr.arpa'],
      { about: 'ptr', of: '203.0.113.7', verdict: 'bad', publish: { name: '7.113.0.203.in-addr.arpa', type: 'PTR', text: 'mx7.hato.example.' } },
    ],
    [
      'a PTR that is not the EHLO name',
      (zone) => (zone['7.113.0.203.in-addr.arpa'] = { PTR: ['host7.isp.example'] }),
      { about: 'ptr', verdict: 'bad', message: 'PTR says host7.isp.example, EHLO says mx7.hato.example' },
    ],
    [
      'an EHLO name that leads elsewhere',
      (zone) => (zone['mx7.hato.example'] = { A: ['203.0.113.8'] }),
      { about: 'ptr', verdict: 'bad', message: 'mx7.hato.example leads to 203.0.113.8, not back to 203.0.113.7' },
    ],
    ['DNS that does not answer', (zone) => (zone['_dmarc.acme.example'] = 'broken'), { about: 'dmarc', verdict: 'unknown' }],
  ])('%s', async (_, spoil, expected) => {
    const zone = good()
    spoil(zone)
    const wrong = notGood(await findings(zone))
    expect(wrong).toEqual([expect.objectContaining(expected)])
  })

  it('takes the DMARC record of the organisation, and sees strict alignment that no key satisfies', async () => {
    const keys = keysOf([{ domain: 'acme.example', selector: 's1', pem: RSA }])
    const asked = { fleet, pool: 'acme', keys, tenant: 'acme', at: NOW, fromDomain: 'news.acme.example' }
    const run = async (zone: Zone) =>
      (
        await Promise.all(
          campaignChecks(asked).map((check) =>
            runCheck(check, async ({ name, type }) => {
              const node = zone[name]
              const records = (node === 'broken' ? [] : node?.[type]) ?? []
              return records.length === 0 ? { kind: 'none' } : { kind: 'records', records }
            }),
          ),
        )
      )
        .flat()
        .find(({ about }) => about === 'dmarc')
    expect(await run(good())).toMatchObject({ verdict: 'good' })
    expect(await run({ ...good(), '_dmarc.acme.example': { TXT: ['v=DMARC1; p=none; adkim=s'] } })).toMatchObject({
      verdict: 'bad',
      message: expect.stringContaining('strict alignment'),
    })
  })

  it('wants an RSA key: an ed25519 key alone is verified by few', async () => {
    const wrong = notGood(await findings({ ...good(), 'e._domainkey.acme.example': { TXT: ['v=DKIM1; k=ed25519; p=x'] } }, []))
    expect(wrong).toEqual([expect.objectContaining({ about: 'dkim', verdict: 'bad', message: expect.stringContaining('no RSA key signs for acme.example') })])
  })

  it('rejects marketing for what is bad and only warns the rest; silence of DNS rejects nobody', async () => {
    const zone = good()
    delete zone['_dmarc.acme.example']
    zone['bounce.acme.example'] = 'broken'
    const all = await findings(zone)
    expect(preflightProblems(all, 'marketing')).toMatchObject({
      problems: [{ path: 'preflight.dmarc', message: expect.stringContaining('publish _dmarc.acme.example TXT v=DMARC1') }],
      warnings: [{ path: 'preflight.return-path' }, { path: 'preflight.spf' }],
    })
    expect(preflightProblems(all, 'notice')).toMatchObject({ problems: [], warnings: [{ path: 'preflight.dmarc' }, {}, {}] })
  })

  it('takes From without the pool in its SPF for bad only where more than a hundred people are at docomo, au or softbank', async () => {
    expect(headerSpfProblem(await findings(good()))).toBeNull()
    const lacks = await findings({ ...good(), 'acme.example': { MX: ['mx.acme.example'], TXT: ['v=spf1 -all'] } })
    expect(preflightProblems(lacks, 'marketing')).toMatchObject({ problems: [], warnings: [{ path: 'preflight.header-spf' }] })
    expect(headerSpfProblem(lacks)).toMatchObject({
      path: 'preflight.header-spf',
      message: expect.stringMatching(/more than 100 recipients at docomo, au, softbank.*publish acme.example TXT v=spf1/),
    })
  })

  it('of a fleet asks each domain, return path and IP once', async () => {
    const of = await Promise.all(fleetChecks(fleet, KEYS, NOW).map((check) => runCheck(check, async () => ({ kind: 'none' }))))
    expect(
      of
        .flat()
        .filter(({ about }) => about === 'ptr')
        .map((finding) => finding.of),
    ).toEqual(['203.0.113.7', '2001:db8::7', '198.51.100.9'])
    expect(of.flat().filter(({ about }) => about === 'spf')).toHaveLength(1)
  })
})
