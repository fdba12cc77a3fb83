import type { DkimKey } from '../dkim-keys.ts'
import type { Finding } from './finding.ts'
import type { Check } from './look-up.ts'

/** Is what the key signs verified by what DNS shows (RFC 6376 3.6.1)? */
export function* checkKey({ domain, selector, dnsRecord }: Pick<DkimKey, 'domain' | 'selector' | 'dnsRecord'>): Check<Finding> {
  const name = `${selector}._domainkey.${domain}`
  const found = yield { name, type: 'TXT' }
  const say = (verdict: Finding['verdict'], message: string): Finding =>
    verdict === 'bad'
      ? { about: 'dkim', of: name, verdict, message, publish: { name, type: 'TXT', text: dnsRecord } }
      : { about: 'dkim', of: name, verdict, message }
  if (found.kind === 'unknown') return say('unknown', found.because)
  if (found.kind === 'none') return say('bad', 'the key is not in DNS, so no signature of it can be verified')
  if (found.records.length > 1) return say('bad', `${found.records.length} records stand there; verifiers may take any of them`)
  const shown = tags(found.records[0] as string)
  const wanted = tags(dnsRecord)
  if (shown.has('v') && shown.get('v') !== 'DKIM1') return say('bad', `the record begins with v=${shown.get('v')}, not DKIM1`)
  if (shown.get('p') === '') return say('bad', 'the key is revoked in DNS (p= is empty)')
  if ((shown.get('k') ?? 'rsa') !== (wanted.get('k') ?? 'rsa'))
    return say('bad', `DNS says k=${shown.get('k') ?? 'rsa'}, the key is ${wanted.get('k') ?? 'rsa'}`)
  if (shown.get('p') !== wanted.get('p')) return say('bad', 'DNS shows another key than the one that signs')
  if (shown.has('h') && !(shown.get('h') as string).split(':').includes('sha256'))
    return say('bad', `DNS allows only h=${shown.get('h')}, and signatures use sha256`)
  if (shown.has('s') && !/(^|:)(\*|email)(:|$)/.test(shown.get('s') as string))
    return say('bad', `DNS allows the key only for s=${shown.get('s')}, not for email`)
  if ((shown.get('t') ?? '').split(':').includes('y')) return say('warning', 'is in DNS as a test (t=y): verifiers treat the mail as unsigned')
  return say('good', 'signs, and DNS shows the same key')
}

/** `v=DKIM1; k=rsa; p=…` → its tags, without white space in the values. */
export function tags(record: string): Map<string, string> {
  return new Map(
    record.split(';').flatMap((part) => {
      const at = part.indexOf('=')
      return at === -1 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).replace(/\s/g, '')] as const]
    }),
  )
}
