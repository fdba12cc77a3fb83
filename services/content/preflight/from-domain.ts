import { getDomain } from 'tldts'
import { chooseKeys } from '../dkim-keys.ts'
import { checkKey, tags } from './dkim.ts'
import type { DnsRecord, Finding, Signing, Source } from './finding.ts'
import type { Check, Found } from './look-up.ts'
import { checkSpf } from './spf-check.ts'

export function* checkFromDomain(domain: string, signing: Signing, sources: readonly Source[]): Check<readonly Finding[]> {
  return [
    ...(yield* checkKeys(domain, signing)),
    yield* checkDmarc(domain, signing),
    yield* checkReachable(domain),
    ...(yield* checkHeaderSpf(domain, sources)),
  ]
}

function* checkKeys(domain: string, { keys, tenant, at }: Signing): Check<readonly Finding[]> {
  const used = chooseKeys(keys, { tenant, fromDomain: domain, at })
  const findings: Finding[] = []
  if (!used.some(({ algorithm }) => algorithm === 'rsa-sha256')) {
    const message = `no RSA key signs for ${domain} and tenant ${tenant}${used.length > 0 ? '; the large providers verify no ed25519' : ''}. Make one (openssl genrsa 2048) and name it in [[dkim]]`
    findings.push({ about: 'dkim', of: domain, verdict: 'bad', message })
  }
  for (const key of used) findings.push(yield* checkKey(key))
  return findings
}

function* checkDmarc(domain: string, signing: Signing): Check<Finding> {
  const organisation = getDomain(domain, { allowPrivateDomains: false, extractHostname: false }) ?? domain
  const publish: DnsRecord = { name: `_dmarc.${organisation}`, type: 'TXT', text: `v=DMARC1; p=none; rua=mailto:dmarc@${organisation}` }
  for (const place of new Set([domain, organisation])) {
    const found = yield { name: `_dmarc.${place}`, type: 'TXT' }
    if (found.kind === 'unknown') return { about: 'dmarc', of: domain, verdict: 'unknown', message: found.because }
    const records = found.kind === 'none' ? [] : found.records.filter((record) => /^v=DMARC1\s*(;|$)/.test(record))
    if (records.length > 1)
      return { about: 'dmarc', of: domain, verdict: 'bad', message: `_dmarc.${place} has ${records.length} DMARC records, so none counts (RFC 7489 6.6.3)` }
    if (records[0] !== undefined) return judgeDmarc(domain, place, tags(records[0]), signing)
  }
  return { about: 'dmarc', of: domain, verdict: 'bad', message: 'has no DMARC record; Google, Yahoo and Microsoft ask for one', publish }
}

/** `place`: where the record stands, the domain itself or its organisational domain (RFC 7489 6.6.3). */
function judgeDmarc(domain: string, place: string, record: ReadonlyMap<string, string>, { keys, tenant, at }: Signing): Finding {
  const say = (verdict: 'good' | 'bad', message: string): Finding => ({ about: 'dmarc', of: domain, verdict, message })
  const policy = record.get('p')
  if (policy === undefined || !['none', 'quarantine', 'reject'].includes(policy))
    return say('bad', `_dmarc.${place} says p=${policy ?? '(nothing)'}; it must be none, quarantine or reject`)
  const used = chooseKeys(keys, { tenant, fromDomain: domain, at })
  if (record.get('adkim') === 's' && used.length > 0 && used.every((key) => key.domain !== domain))
    return say('bad', `_dmarc.${place} asks for strict alignment (adkim=s), but the keys sign as ${used[0]?.domain}`)
  return say('good', `p=${policy}`)
}

function* checkReachable(domain: string): Check<Finding> {
  const mx = yield { name: domain, type: 'MX' }
  if (mx.kind === 'unknown') return { about: 'from', of: domain, verdict: 'unknown', message: mx.because }
  if (mx.kind === 'records' && mx.records.every((exchange) => exchange === '.'))
    return {
      about: 'from',
      of: domain,
      verdict: 'bad',
      message: 'says that it takes no mail (null MX, RFC 7505); many receivers refuse mail from such a domain',
    }
  if (mx.kind === 'records') return { about: 'from', of: domain, verdict: 'good', message: `MX ${mx.records[0]}` }
  const a = yield { name: domain, type: 'A' }
  const aaaa: Found = a.kind === 'records' ? a : yield { name: domain, type: 'AAAA' }
  if (aaaa.kind === 'records') return { about: 'from', of: domain, verdict: 'good', message: 'has no MX, but an address' }
  if (a.kind === 'unknown') return { about: 'from', of: domain, verdict: 'unknown', message: a.because }
  return {
    about: 'from',
    of: domain,
    verdict: 'bad',
    message: 'has neither MX nor address, so it cannot exist for a receiver',
    publish: { name: domain, type: 'MX', text: `10 mail.${domain}.` },
  }
}

/** Nobody checks SPF of From by the standard, but docomo, au and softbank do; above 100 recipients there the caller takes it for bad. */
function* checkHeaderSpf(domain: string, sources: readonly Source[]): Check<readonly Finding[]> {
  const finding = yield* checkSpf('header-spf', domain, sources)
  if (finding === null || finding.verdict === 'good') return finding === null ? [] : [finding]
  return [
    {
      ...finding,
      verdict: finding.verdict === 'bad' ? 'warning' : finding.verdict,
      message: `${finding.message} (docomo, au and softbank look at From's SPF)`,
    },
  ]
}
