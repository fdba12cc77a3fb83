import { describe, expect, it } from 'vitest'
import { addressLiteral, dnsName, mxHost, reverseName } from './names.ts'
import { registrableDomain } from './registrable-domain.ts'
import { parseDnsServer } from './servers.ts'

describe('names', () => {
  it.each([
    ['Example.JP.', 'example.jp'],
    ['_dmarc.example.jp', '_dmarc.example.jp'],
    ['日本語。jp', 'xn--wgv71a119e.jp'],
    ['1.2', '1.2'],
  ])('%s is asked as %s', (text, name) => expect(dnsName(text)).toBe(name))
  it.each(['', '.', 'a..b', '-a.jp', 'a b.jp', `${'x'.repeat(64)}.jp`, `${'abcdefghi.'.repeat(26)}jp`, 'a@b.jp'])('"%s" is none', (text) =>
    expect(dnsName(text)).toBeNull(),
  )

  it('takes no address and no root for a mail host', () => {
    expect([mxHost('MX.Example.'), mxHost('.'), mxHost('192.0.2.1'), mxHost('')]).toEqual(['mx.example', null, null, null])
  })

  it.each([
    ['[192.0.2.1]', '192.0.2.1'],
    ['[IPv6:::1]', '::1'],
    ['[::1]', null],
    ['[IPv6:192.0.2.1]', null],
    ['192.0.2.1', null],
    ['[999.0.2.1]', null],
  ])('address literal %s → %s', (domain, address) => expect(addressLiteral(domain)).toBe(address))

  it('reverses an IPv4 address written as IPv6 by its nibbles', () => {
    expect(reverseName('::ffff:192.0.2.1')).toBe('1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa')
  })
})

describe('servers', () => {
  it.each([
    ['127.0.0.1:5355', { address: '127.0.0.1', port: 5355 }],
    ['9.9.9.9', { address: '9.9.9.9', port: 53 }],
    ['::1', { address: '::1', port: 53 }],
    ['[::1]:5355', { address: '::1', port: 5355 }],
    ['dns.example', null],
    ['127.0.0.1:0', null],
  ])('%s', (text, server) => expect(parseDnsServer(text)).toEqual(server))
})

describe('registrable domains', () => {
  it.each([
    ['mx1.foo.co.jp', 'foo.co.jp'],
    ['a.b.example.com', 'example.com'],
    ['mx01.lolipop.jp', 'lolipop.jp'],
    ['co.jp', null],
    ['192.0.2.1', null],
    ['localhost', null],
  ])('%s → %s', (host, domain) => expect(registrableDomain(host)).toBe(domain))
})
