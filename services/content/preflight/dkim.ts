import type { DkimKey } from '../dkim-keys.ts'
import type { Finding } from './finding.ts'
import type { Check, Found } from './look-up.ts'

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
  const shown = found.records[0] as string
  const unlike = whyUnlike(shown, dnsRecord)
  if (unlike !== null) return say('bad', unlike)
  if ((tags(shown).get('t') ?? '').split(':').includes('y')) return say('warning', 'is in DNS as a test (t=y): verifiers treat the mail as unsigned')
  return say('good', 'signs, and DNS shows the same key')
}

/** Does DNS show the key? Of several records one is enough here: which of them a verifier takes is for `checkKey` to complain about. */
export type Sight = { readonly kind: 'shown' | 'unknown' } | { readonly kind: 'absent'; readonly because: string }

export function sightOf(found: Found, dnsRecord: string): Sight {
  if (found.kind === 'unknown') return { kind: 'unknown' }
  if (found.kind === 'none') return { kind: 'absent', because: 'it is not in DNS' }
  const unlike = found.records.map((record) => whyUnlike(record, dnsRecord))
  const because = unlike.find((why) => why !== null)
  return because === undefined || unlike.includes(null) ? { kind: 'shown' } : { kind: 'absent', because }
}

/** Why a record in DNS does not verify what the key signs that wants `dnsRecord`; null = it does. */
export function whyUnlike(record: string, dnsRecord: string): string | null {
  const shown = tags(record)
  const wanted = tags(dnsRecord)
  if (shown.has('v') && shown.get('v') !== 'DKIM1') return `the record begins with v=${shown.get('v')}, not DKIM1`
  if (shown.get('p') === '') return 'the key is revoked in DNS (p= is empty)'
  if ((shown.get('k') ?? 'rsa') !== (wanted.get('k') ?? 'rsa')) return `DNS says k=${shown.get('k') ?? 'rsa'}, the key is ${wanted.get('k') ?? 'rsa'}`
  if (shown.get('p') !== wanted.get('p')) return 'DNS shows another key than the one that signs'
  if (shown.has('h') && !(shown.get('h') as string).split(':').includes('sha256')) return `DNS allows only h=${shown.get('h')}, and signatures use sha256`
  if (shown.has('s') && !/(^|:)(\*|email)(:|$)/.test(shown.get('s') as string)) return `DNS allows the key only for s=${shown.get('s')}, not for email`
  return null
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
