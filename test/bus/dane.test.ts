/** What DANE makes of certificates and of DNS: a real validating resolver over a zone signed here (RFC 6698, RFC 7672). */
import { createHash, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openAuthority } from '../../scripts/world/certificate.ts'
import { openFaults } from '../../scripts/world/dns/answer.ts'
import { startDns } from '../../scripts/world/dns/server.ts'
import { openZone } from '../../scripts/world/dns/zone.ts'
import { createResolver } from '../../services/runtime/dns/resolver.ts'
import { matchDane, type TlsaRecord, usableRecords } from '../../services/sender/policy/tls/dane.ts'
import { TlsRules } from '../../services/sender/tls/tls-rules.ts'
import { signedZone } from '../kit/signed-zone.ts'

const NOW = Date.now()
const HOST = 'mx.signed.example'
const authority = openAuthority('an authority', new Date())
const chainOf = (pem: string) =>
  pem
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((one) => one.trim() !== '')
    .map((one) => new X509Certificate(one))
const spki = (certificate: X509Certificate | undefined) => (certificate as X509Certificate).publicKey.export({ type: 'spki', format: 'der' })
const digest = (kind: 'sha256' | 'sha512', bytes: Buffer) => createHash(kind).update(bytes).digest()

describe('a TLSA record', () => {
  const chain = chainOf(authority.issue([HOST]).cert)
  const [leaf, anchor] = chain
  const record = (usage: number, selector: number, matching: number, data: Buffer): TlsaRecord => ({ usage, selector, matching, data })
  const expired = chainOf(authority.issue([HOST], { from: new Date(NOW - 9e8), until: new Date(NOW - 8e8) }).cert)

  it.each([
    ['3 1 1', record(3, 1, 1, digest('sha256', spki(leaf)))],
    ['3 0 1', record(3, 0, 1, digest('sha256', leaf?.raw as Buffer))],
    ['3 1 2', record(3, 1, 2, digest('sha512', spki(leaf)))],
    ['3 0 0', record(3, 0, 0, leaf?.raw as Buffer)],
    ['3 1 0', record(3, 1, 0, spki(leaf))],
    ['2 1 1', record(2, 1, 1, digest('sha256', spki(anchor)))],
    ['2 0 1', record(2, 0, 1, digest('sha256', anchor?.raw as Buffer))],
    ['2 0 2', record(2, 0, 2, digest('sha512', anchor?.raw as Buffer))],
  ])('%s vouches for what it names, and for nothing else', (_, one) => {
    expect(matchDane(chain, [one], HOST, NOW)).toBe(true)
    const other = chainOf(openAuthority('another', new Date()).issue([HOST]).cert)
    expect(matchDane(other, [one], HOST, NOW)).toBe(false)
    expect(matchDane([], [one], HOST, NOW)).toBe(false)
  })

  it('of a key cares for no name and no date; of an authority for both, and for the signatures between', () => {
    const ee = record(3, 1, 1, digest('sha256', spki(expired[0])))
    const ta = record(2, 1, 1, digest('sha256', spki(anchor)))
    expect(matchDane(expired, [ee], 'mx.other.example', NOW)).toBe(true)
    expect(matchDane(expired, [ta], HOST, NOW)).toBe(false)
    expect(matchDane(chain, [ta], 'mx.other.example', NOW)).toBe(false)
    // the authority's own certificate sent behind somebody else's leaf
    const stranger = chainOf(openAuthority('an authority', new Date()).issue([HOST]).cert)
    expect(matchDane([stranger[0] as X509Certificate, anchor as X509Certificate], [ta], HOST, NOW)).toBe(false)
  })

  it('with usage 0 or 1, an unknown selector or a digest of another length is not usable', () => {
    const bad = [
      record(0, 1, 1, Buffer.alloc(32)),
      record(1, 0, 1, Buffer.alloc(32)),
      record(3, 2, 1, Buffer.alloc(32)),
      record(3, 1, 1, Buffer.alloc(31)),
      record(3, 1, 2, Buffer.alloc(32)),
      record(3, 1, 3, Buffer.alloc(32)),
      record(3, 1, 0, Buffer.alloc(0)),
    ]
    expect(usableRecords(bad)).toEqual([])
  })
})

describe('what a domain publishes', () => {
  const HEX = 'ab'.repeat(32)

  it('binds only where each step from the domain to the record was validated', { timeout: 30_000 }, async () => {
    const mx = (name: string, exchange: string) => ({ name, ttlS: 60, type: 'MX', data: { preference: 10, exchange } }) as const
    await using elsewhere = await startDns({
      zone: openZone([mx('unsigned.example', HOST), { name: 'mx.unsigned.example', ttlS: 60, type: 'A', data: '127.0.2.9' }]),
      faults: openFaults(),
      address: '127.0.0.1',
      port: 0,
    })
    await using zone = await signedZone({
      zone: 'signed.example',
      elsewhere: `127.0.0.1:${elsewhere.port}`,
      records: [
        '@ MX 10 mx',
        'mx A 127.0.2.1',
        `_25._tcp.mx TLSA 3 1 1 ${HEX}`,
        'odd A 127.0.2.2',
        `_25._tcp.odd TLSA 1 1 1 ${HEX}`,
        'none A 127.0.2.3',
        'broken A 127.0.2.4',
        `_25._tcp.broken TLSA 3 1 1 ${'cd'.repeat(32)}`,
        'away MX 10 mx.unsigned.example.',
      ],
      tampered: [['cd'.repeat(32), 'ef'.repeat(32)]],
    })
    await using resolver = createResolver({ servers: [zone.dns] })
    const rules = (dane: boolean) =>
      new TlsRules({ resolver, policies: { of: async () => ({ policy: null, failure: null }) }, fleet: () => ({ mta_sts: false, dane, sts_port: 443 }) })
    const of = async (domain: string, host: string, dane = true) => (await rules(dane).of(domain)).host(host, 25)

    const bound = await of('signed.example', HOST)
    expect(bound).toMatchObject({ kind: 'go', vouched: true, need: { kind: 'dane' }, shown: { type: 'tlsa', strings: [`3 1 1 ${HEX}`] } })
    expect(await of('signed.example', 'odd.signed.example')).toMatchObject({ kind: 'go', need: { kind: 'encrypted' } })
    expect(await of('signed.example', 'none.signed.example')).toMatchObject({ kind: 'go', vouched: true, need: null })
    expect(await of('signed.example', 'broken.signed.example')).toMatchObject({
      kind: 'no',
      trouble: 'dnssec-invalid',
      because: expect.stringContaining('SERVFAIL'),
    })
    // an unsigned domain's MX proves nothing, a signed host or not; a host outside has nothing that could be believed
    expect(await of('unsigned.example', HOST)).toMatchObject({ kind: 'go', vouched: false, need: null })
    expect(await of('away.signed.example', 'mx.unsigned.example')).toMatchObject({ kind: 'go', need: null })
    expect(await of('signed.example', HOST, false)).toMatchObject({ kind: 'go', vouched: false, need: null })
  })
})
