import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { FleetRecord } from '../../../protocol/fleet.ts'
import { nearest } from '../../runtime/nearest.ts'
import { checkFleet } from './fleet-check.ts'
import { maskedRecord, nextRecord } from './fleet-record.ts'
import { canonicalIp, isDnsServer } from './names.ts'

const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

function document() {
  return {
    network: { dns: ['127.0.0.1:5355'], smtp_port: 2525 },
    tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example', feedback_id: 'acmeco' }],
    pool: [{ name: 'acme', tenants: ['acme'] }],
    ip: [{ address: '127.0.1.1', pool: 'acme', ehlo: 'mx1.hato.example' }],
    dkim: [{ domain: 'acme.example', tenants: ['acme'], selector: 's1', key: pem }],
    isp: [{ name: 'google', sessions_per_ip: 3, idle: '20s', source_rest: '30s' }],
    retry: { first: '2s' },
  }
}
type Document = ReturnType<typeof document>

const RULE = { id: 'busy', seen: '421 4.3.2 busy', text: 'busy', class: 'site-busy', blames: 'site' }
const rule = (changes: object) => (fleet: Document) => Object.assign(fleet, { rule: [{ ...RULE, ...changes }] })
const good = () => {
  const verdict = checkFleet(document(), nearest)
  if (verdict.kind === 'bad') throw new Error(JSON.stringify(verdict.problems))
  return verdict
}

describe('a fleet document', () => {
  test('that is whole is taken with its defaults, without a warning', () => {
    const { fleet, warnings } = good()
    expect(warnings).toEqual([])
    expect(fleet.ip[0]?.egress).toBe('bind')
    expect(fleet.isp[0]?.idle).toBe(20_000)
  })

  test.each([
    ['rubbish', 'holds no certificate'],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'certificate 1 cannot be read'],
  ])('with %j as [tls] ca is refused: a sender would trust nobody any more', (ca, message) => {
    expect(checkFleet({ ...document(), tls: { ca } }, nearest)).toMatchObject({
      kind: 'bad',
      problems: [{ path: 'tls.ca', message: expect.stringContaining(message) }],
    })
  })

  test('with DANE over a resolver on another machine is taken, and warned of', () => {
    const paths = (dns: readonly string[] | undefined) => {
      const verdict = checkFleet({ ...document(), network: { dns }, tls: { dane: true } }, nearest)
      return verdict.kind === 'good' ? verdict.warnings.map(({ path }) => path) : verdict.problems
    }
    expect([['127.0.0.1:5355', '[::1]:53'], ['192.0.2.53'], undefined].map(paths)).toEqual([[], ['tls.dane'], ['tls.dane']])
  })

  test('that a program has already read once may be applied as it is', () => {
    const again = checkFleet(JSON.parse(JSON.stringify(good().fleet)), nearest)
    expect(again).toMatchObject({ kind: 'good', fleet: good().fleet })
  })

  test.each<[string, (fleet: Document) => unknown, string, RegExp]>([
    ['a misspelt key', (f) => Object.assign(f.ip[0] as object, { helo: 'x' }), 'ip[0].helo', /did you mean ehlo\?/],
    ['a misspelt table', (f) => Object.assign(f, { tennant: [] }), 'tennant', /did you mean tenant\?/],
    ['an address that is none', (f) => Object.assign(f.ip[0] as object, { address: '127.0.1.256' }), 'ip[0].address', /not an IP address/],
    ['an IPv6 address in another spelling', (f) => Object.assign(f.ip[0] as object, { address: '2001:DB8:0::1' }), 'ip[0].address', /as 2001:db8::1/],
    ['a bind that is no address', (f) => Object.assign(f.ip[0] as object, { bind: 'eth0' }), 'ip[0].bind', /not an IP address/],
    ['a bare EHLO name', (f) => Object.assign(f.ip[0] as object, { ehlo: 'mx1' }), 'ip[0].ehlo', /host name/],
    ['a proxy without a port', (f) => Object.assign(f.ip[0] as object, { egress: 'socks5://proxy.example' }), 'ip[0].egress', /host:port/],
    ['an undefined pool', (f) => Object.assign(f.ip[0] as object, { pool: 'acne' }), 'ip[0].pool', /"acne" is not defined/],
    ['a domain that is none', (f) => Object.assign(f.tenant[0] as object, { domains: ['acme'] }), 'tenant[0].domains[0]', /not a domain/],
    ['a SenderId that is none', (f) => Object.assign(f.tenant[0] as object, { feedback_id: 'a-b' }), 'tenant[0].feedback_id', /SenderId/],
    ['a key that is still a path', (f) => Object.assign(f.dkim[0] as object, { key: 'keys/acme.pem' }), 'dkim[0]', /not a private key in PEM form/],
    ['a resolver by name', (f) => Object.assign(f.network, { dns: ['dns.example'] }), 'network.dns[0]', /not an address/],
    ['an unknown provider without hosts', (f) => Object.assign(f.isp[0] as object, { name: 'gogle' }), 'isp[0].name', /no built-in provider/],
    ['a wait that is none', (f) => Object.assign(f.retry, { first: 'soon' }), 'retry.first', /not a duration/],
    ['an unknown reason of [retry]', (f) => Object.assign(f.retry, { greylistd: { first: '1s' } }), 'retry.greylistd', /did you mean greylisted\?/],
    ['a warm-up that shrinks', (f) => Object.assign(f, { warmup: { factor: 0.5 } }), 'warmup.factor', /1\.01/],
    [
      'a rule that misses its sample',
      (f) => Object.assign(f, { rule: [{ id: 'x', seen: '421 busy', text: 'greylist', class: 'site-busy', blames: 'site' }] }),
      'rule[0].seen',
      /own sample/,
    ],
    ['a rule that suppresses for our own fault', rule({ blames: 'source', suppress: true }), 'rule[0].suppress', /blames source says nothing of the address/],
    ['a rule that suppresses for nobody', rule({ blames: 'nobody', suppress: true }), 'rule[0].suppress', /only recipient and domain/],
    ['a rule that bounces what the site did', rule({ blames: 'site', outcome: 'bounced' }), 'rule[0].outcome', /never bounced at once/],
    ['a rule that bounces at the door', rule({ stages: ['greeting'], blames: 'us', outcome: 'bounced' }), 'rule[0].outcome', /greeting is never/],
    ['a rule that blames a recipient at the door', rule({ stages: ['greeting', 'rcpt'], blames: 'recipient' }), 'rule[0].stages', /at greeting no recipient/],
    ['a rule for a misspelt provider', rule({ providers: ['gogle'] }), 'rule[0].providers[0]', /did you mean google\?/],
    [
      'a rule that never fires',
      (f) => Object.assign(f, { rule: [RULE, { ...RULE, id: 'later', seen: '421 4.3.2 very busy', text: 'very busy' }] }),
      'rule[1].seen',
      /"later" can never fire: "busy" stands before it/,
    ],
  ])('with %s is refused by name', (_, spoil, path, message) => {
    const fleet = document()
    spoil(fleet)
    const verdict = checkFleet(fleet, nearest)
    expect(verdict).toMatchObject({ kind: 'bad', problems: [{ path, message: expect.stringMatching(message) }] })
  })

  test('may have rules for its own providers, and for stages before RCPT', () => {
    const own = [{ name: 'relay', mx: ['relay.example'] }]
    const rules = [{ ...RULE, providers: ['relay', 'google'], stages: ['greeting'] }]
    expect(checkFleet({ ...document(), isp: own, rule: rules }, nearest).kind).toBe('good')
  })

  test('tells all its problems at once, those of shape and those of meaning', () => {
    const fleet = {
      ...document(),
      ip: [
        { address: '127.0.1.1', pool: 'acme' },
        { address: 'here', pool: 'acme', ehlo: 'mx2.hato.example' },
      ],
      retry: { first: 'soon' },
    }
    const verdict = checkFleet(fleet, nearest)
    expect(verdict.kind === 'bad' && verdict.problems.map(({ path }) => path)).toEqual(['ip[0].ehlo', 'ip[1].address', 'retry.first'])
  })

  test.each([null, 'text', [], 7])('that is %j is refused', (nothing) => {
    expect(checkFleet(nothing, nearest).kind).toBe('bad')
  })

  test('warns of a pool without addresses and of a domain that nobody signs', () => {
    const fleet = { ...document(), pool: [...document().pool, { name: 'spare' }], dkim: [] }
    const verdict = checkFleet(fleet, nearest)
    expect(verdict.kind === 'good' && verdict.warnings.map(({ path }) => path)).toEqual(['pool[1]', 'tenant[0].domains[0]'])
  })
})

describe('applying', () => {
  const secret = () => 'once'
  test('the same document again changes nothing, whatever the order of its keys', () => {
    const first = nextRecord(null, good().fleet, 0, secret)
    const turned = Object.fromEntries(Object.entries(good().fleet).reverse()) as unknown as FleetRecord['fleet']
    expect(nextRecord(first, turned, 5_000, secret)).toBe(first)
  })
  test('another one counts on and keeps the secret', () => {
    const first = nextRecord(null, good().fleet, 0, secret)
    const second = nextRecord(first, { ...good().fleet, isp: [] }, 5_000, () => 'another')
    expect(second).toMatchObject({ revision: 2, secret: 'once', appliedAt: '1970-01-01T00:00:05.000Z' })
  })
  test('what is shown of it holds neither keys nor passwords nor the secret', () => {
    const [ip] = good().fleet.ip
    const record = nextRecord(
      null,
      { ...good().fleet, ip: [{ ...(ip as NonNullable<typeof ip>), egress: 'socks5://hato:h:unter2@proxy.example:1080' }] },
      0,
      secret,
    )
    const shown = JSON.stringify(maskedRecord(record))
    expect(shown).toContain('socks5://hato:***@proxy.example:1080')
    expect(shown).toContain('"idle":"20s","source_rest":"30s"')
    for (const hidden of ['PRIVATE', 'h:unter2', 'once']) expect(shown).not.toContain(hidden)
  })
})

test('one address has one spelling', () => {
  expect(['127.0.0.1', '::1', '2001:DB8::0:1', '1.2.3', '2001:db8::1%eth0', 'fe80::/10'].map(canonicalIp)).toEqual([
    '127.0.0.1',
    '::1',
    '2001:db8::1',
    null,
    null,
    null,
  ])
})

test.each([
  ['127.0.0.1:5355', true],
  ['9.9.9.9', true],
  ['::1', true],
  ['[::1]:53', true],
  ['dns.example', false],
  ['127.0.0.1:0', false],
  ['127.0.0.1:70000', false],
])('a resolver may be written %s: %s', (text, is) => expect(isDnsServer(text)).toBe(is))
