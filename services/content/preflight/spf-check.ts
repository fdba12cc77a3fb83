import type { Finding, Source } from './finding.ts'
import type { Check, Found } from './look-up.ts'
import { evaluateSpf, type SpfVerdict } from './spf.ts'

const SHOWN_ADDRESSES = 5

/** Does SPF of the domain pass for every source? Null when there is no source to ask for. */
export function* checkSpf(about: 'spf' | 'header-spf', domain: string, sources: readonly Source[]): Check<Finding | null> {
  if (sources.length === 0) return null
  const failed: string[] = []
  let first: SpfVerdict | null = null
  for (const { address, ehlo } of sources) {
    const verdict = yield* evaluateSpf({ address, domain, helo: ehlo })
    if (verdict.result === 'temperror') return { about, of: domain, verdict: 'unknown', message: verdict.because }
    if (verdict.result === 'pass') continue
    failed.push(address)
    first ??= verdict
  }
  if (first === null)
    return { about, of: domain, verdict: 'good', message: `SPF passes for ${sources.length === 1 ? sources[0]?.address : `all ${sources.length} IPs`}` }
  const shown =
    failed.length > SHOWN_ADDRESSES ? `${failed.slice(0, SHOWN_ADDRESSES).join(', ')} and ${failed.length - SHOWN_ADDRESSES} more` : failed.join(', ')
  const message = `SPF does not pass for ${shown} (${first.result}: ${first.because})`
  const wanted = (failed.length > SHOWN_ADDRESSES ? sources.map(({ address }) => address) : failed)
    .map((address) => `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`)
    .join(' ')
  // A second record would make both worthless: the one that stands has to grow.
  if (first.result !== 'none') {
    const grown = grow(yield { name: domain, type: 'TXT' }, wanted)
    const needs = `${message}; its record needs ${wanted} before "all"`
    return { about, of: domain, verdict: 'bad', message: needs, ...(grown !== null && { publish: { name: domain, type: 'TXT', text: grown } }) }
  }
  return { about, of: domain, verdict: 'bad', message, publish: { name: domain, type: 'TXT', text: `v=spf1 ${wanted} -all` } }
}

/** The record that stands, with what it lacks before the term that ends it; null where it must be mended by hand. */
function grow(found: Found, wanted: string): string | null {
  const standing = found.kind === 'records' ? found.records.filter((record) => /^v=spf1(?: |$)/i.test(record)) : []
  const [record] = standing
  if (record === undefined || standing.length > 1) return null
  const terms = record.split(' ').filter((term) => term !== '')
  const end = terms.findIndex((term) => /^[+~?-]?all$|^redirect=/i.test(term))
  return [...terms.slice(0, end === -1 ? terms.length : end), wanted, ...(end === -1 ? ['-all'] : terms.slice(end))].join(' ')
}
