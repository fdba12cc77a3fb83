import type { PolicyShown } from '../../../../protocol/tls-report.ts'
import type { TlsFacts } from '../../smtp/types.ts'
import { usableRecords, type TlsaRecord } from './dane.ts'
import { letsIn, policyLines, type StsPolicy } from './mta-sts.ts'
import type { TlsNeed, TlsTrouble } from './need.ts'

/** What DNS says about one host's TLSA records. `failed`: nobody can know whether there are any, so nothing goes there (RFC 7672 2.1.3). */
export type TlsaFound =
  | { readonly kind: 'none' }
  | { readonly kind: 'secure'; readonly records: readonly TlsaRecord[] }
  | { readonly kind: 'failed'; readonly because: string }

export type HostTls =
  | {
      readonly kind: 'go'
      readonly need: TlsNeed | null
      /** that this host serves the domain is proven by DNSSEC or MTA-STS, not only said by DNS (RFC 8689 4.2.1) */
      readonly vouched: boolean
      readonly shown: PolicyShown
      /** what is wrong with any session there, for reports: its policy could not be fetched, or only wants to hear that it does not name this host */
      readonly amiss: TlsTrouble | null
    }
  /** mail of this domain may not go there now */
  | { readonly kind: 'no'; readonly because: string; readonly trouble: TlsTrouble; readonly shown: PolicyShown }

export interface Published {
  readonly domain: string
  readonly sts: StsPolicy | null
  /** why there is none although one was announced */
  readonly stsTrouble: TlsTrouble | null
  readonly tlsa: TlsaFound
  readonly secureMx: boolean
}

/** DANE stands above MTA-STS (RFC 8461 2), and both above what the site's row says. */
export function hostTls(host: string, { domain, sts, stsTrouble, tlsa, secureMx }: Published): HostTls {
  if (tlsa.kind === 'failed') return { kind: 'no', because: tlsa.because, trouble: 'dnssec-invalid', shown: { domain, type: 'tlsa', strings: [], mx: [host] } }
  if (tlsa.kind === 'secure' && tlsa.records.length > 0) {
    const records = usableRecords(tlsa.records)
    const shown: PolicyShown = { domain, type: 'tlsa', strings: tlsa.records.map(tlsaText), mx: [host] }
    const need: TlsNeed = records.length > 0 ? { kind: 'dane', records } : { kind: 'encrypted' }
    return { kind: 'go', need, vouched: true, shown, amiss: records.length > 0 ? null : 'tlsa-invalid' }
  }
  if (sts === null) {
    const shown: PolicyShown = { domain, type: stsTrouble === null ? 'no-policy-found' : 'sts', strings: [], mx: [] }
    return { kind: 'go', need: null, vouched: secureMx, shown, amiss: stsTrouble }
  }
  const shown: PolicyShown = { domain, type: 'sts', strings: policyLines(sts), mx: sts.mx }
  const named = letsIn(sts, host)
  if (sts.mode !== 'enforce') return { kind: 'go', need: null, vouched: named || secureMx, shown, amiss: named ? null : 'validation-failure' }
  if (!named) return { kind: 'no', because: `${host} is no mail host of its MTA-STS policy (${sts.mx.join(', ')})`, trouble: 'validation-failure', shown }
  return { kind: 'go', need: { kind: 'pkix' }, vouched: true, shown, amiss: null }
}

/** What a report says of a session that is open; null = it was as the policy wants it. */
export function sessionTrouble({ shown, amiss }: Pick<Extract<HostTls, { kind: 'go' }>, 'shown' | 'amiss'>, tls: TlsFacts | null): TlsTrouble | null {
  if (amiss !== null) return amiss
  if (tls === null) return 'starttls-not-supported'
  return shown.type === 'sts' ? tls.trouble : null
}

/** `3 1 1 d2abde24…`, as zone files write it. */
function tlsaText({ usage, selector, matching, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matching} ${data.toString('hex')}`
}
