/** What a sending fleet has to publish, so that the preflight checks of a cluster pass in the simulated internet too:
 *  SPF, DKIM, DMARC, MX and A for From and return-path domains, A and PTR for source IPs. */
import { reverseName } from './isp-records.ts'
import type { ZoneRecord } from './zone.ts'

export type SenderFacts = {
  /** `address` as ISPs see it */
  readonly sources: readonly { readonly address: string; readonly ehlo: string }[]
  readonly tenants: readonly { readonly domains: readonly string[]; readonly returnPath: string }[]
  /** `publicKey` as in the TXT's `p=`: base64 of the SPKI (RSA) or of the 32 raw bytes (ed25519, RFC 8463); PEM is taken too */
  readonly dkim: readonly { readonly domain: string; readonly selector: string; readonly publicKey: string; readonly type?: 'rsa' | 'ed25519' }[]
  /** where mail to these domains goes; default: `mx.<domain>` at this address */
  readonly inbound: string
}

const TTL_S = 60
/** RFC 1035 3.3.14 */
const TXT_STRING_MAX = 255

export function senderRecords({ sources, tenants, dkim, inbound }: SenderFacts): readonly ZoneRecord[] {
  const spf = `v=spf1 ${sources.map(({ address }) => `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`).join(' ')} -all`
  return [
    ...sources.flatMap((source) => sourceRecords(source)),
    ...tenants.flatMap(({ domains, returnPath }) => [
      ...domains.flatMap((domain) => domainRecords(domain, spf, inbound)),
      ...mailRecords(returnPath, spf, inbound),
    ]),
    ...dkim.map(({ domain, selector, publicKey, type = 'rsa' }) => txt(`${selector}._domainkey.${domain}`, `v=DKIM1; k=${type}; p=${bare(publicKey)}`)),
  ]
}

function sourceRecords({ address, ehlo }: SenderFacts['sources'][number]): readonly ZoneRecord[] {
  return [
    { name: ehlo, ttlS: TTL_S, type: address.includes(':') ? 'AAAA' : 'A', data: address },
    { name: reverseName(address), ttlS: TTL_S, type: 'PTR', data: ehlo },
    txt(ehlo, 'v=spf1 a -all'),
  ]
}

function domainRecords(domain: string, spf: string, inbound: string): readonly ZoneRecord[] {
  return [...mailRecords(domain, spf, inbound), txt(`_dmarc.${domain}`, `v=DMARC1; p=reject; adkim=r; aspf=r; rua=mailto:dmarc@${domain}`)]
}

function mailRecords(domain: string, spf: string, inbound: string): readonly ZoneRecord[] {
  const exchange = `mx.${domain}`
  return [
    txt(domain, spf),
    { name: domain, ttlS: TTL_S, type: 'MX', data: { preference: 10, exchange } },
    { name: exchange, ttlS: TTL_S, type: 'A', data: inbound },
  ]
}

function txt(name: string, text: string): ZoneRecord {
  const data = text.match(new RegExp(`.{1,${TXT_STRING_MAX}}`, 'gs')) ?? ['']
  return { name, ttlS: TTL_S, type: 'TXT', data }
}

const bare = (key: string): string => key.replace(/-----[^-]+-----|\s/g, '')
