import { usableRecords, type TlsaRecord } from './dane.ts'
import { letsIn, policyLines, type StsPolicy } from './mta-sts.ts'
import type { TlsNeed, TlsTrouble } from './need.ts'

/** Which published policy a connection is counted under (RFC 8460 4.2). */
export interface PolicyShown {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found'
  /** the policy's lines, or the TLSA records' texts */
  readonly strings: readonly string[]
  /** the patterns of an MTA-STS policy */
  readonly mx: readonly string[]
}

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
      /** a policy that only wants to hear how it would have gone */
      readonly testing: boolean
      readonly shown: PolicyShown
    }
  /** mail of this domain may not go there now */
  | { readonly kind: 'no'; readonly because: string; readonly trouble: TlsTrouble; readonly shown: PolicyShown }

export const NO_POLICY: PolicyShown = { type: 'no-policy-found', strings: [], mx: [] }

/** DANE stands above MTA-STS (RFC 8461 2), and both above what the site's row says. */
export function hostTls(host: string, sts: StsPolicy | null, tlsa: TlsaFound, secureMx: boolean): HostTls {
  if (tlsa.kind === 'failed') return { kind: 'no', because: tlsa.because, trouble: 'dnssec-invalid', shown: { type: 'tlsa', strings: [], mx: [host] } }
  if (tlsa.kind === 'secure' && tlsa.records.length > 0) {
    const records = usableRecords(tlsa.records)
    const shown: PolicyShown = { type: 'tlsa', strings: tlsa.records.map(tlsaText), mx: [host] }
    const need: TlsNeed = records.length > 0 ? { kind: 'dane', records } : { kind: 'encrypted' }
    return { kind: 'go', need, vouched: true, testing: false, shown }
  }
  if (sts === null) return { kind: 'go', need: null, vouched: secureMx, testing: false, shown: NO_POLICY }
  const shown: PolicyShown = { type: 'sts', strings: policyLines(sts), mx: sts.mx }
  const named = letsIn(sts, host)
  if (sts.mode === 'testing') return { kind: 'go', need: null, vouched: named || secureMx, testing: true, shown }
  if (!named) return { kind: 'no', because: `${host} is no mail host of its MTA-STS policy (${sts.mx.join(', ')})`, trouble: 'validation-failure', shown }
  return { kind: 'go', need: { kind: 'pkix' }, vouched: true, testing: false, shown }
}

/** `3 1 1 d2abde24…`, as zone files write it. */
function tlsaText({ usage, selector, matching, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matching} ${data.toString('hex')}`
}
