import { createHash, type X509Certificate } from 'node:crypto'

/** One TLSA record (RFC 6698 2.1). */
export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matching: number
  readonly data: Buffer
}

const DIGEST_BYTES: Readonly<Record<number, number>> = { 1: 32, 2: 64 }

/** The records that mean something in SMTP: usages 2 and 3 (RFC 7672 3.1.3), known selectors, digests as long as theirs are. */
export function usableRecords(records: readonly TlsaRecord[]): readonly TlsaRecord[] {
  return records.filter(({ usage, selector, matching, data }) => {
    if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false
    return matching === 0 ? data.length > 0 : DIGEST_BYTES[matching] === data.length
  })
}

/**
 * Does a record vouch for the host's certificate? 3 (DANE-EE): for the certificate or key itself; name and dates count for nothing (RFC 7672 3.1.1).
 * 2 (DANE-TA): for an authority in the chain that was sent, from which valid signatures lead to a certificate that is valid now and names the host.
 */
export function matchDane(chain: readonly X509Certificate[], records: readonly TlsaRecord[], host: string, now: number): boolean {
  const [leaf] = chain
  if (leaf === undefined) return false
  return usableRecords(records).some((record) => {
    if (record.usage === 3) return isOf(record, leaf)
    const anchor = chain.findIndex((certificate) => isOf(record, certificate))
    return anchor >= 0 && leadsFrom(chain.slice(0, anchor + 1), now) && leaf.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined
  })
}

function isOf({ selector, matching, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const selected = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  const shown =
    matching === 0
      ? selected
      : createHash(matching === 1 ? 'sha256' : 'sha512')
          .update(selected)
          .digest()
  return data.equals(shown)
}

/** Each certificate was issued by the next one, the last is the anchor, and all are valid now. */
function leadsFrom(path: readonly X509Certificate[], now: number): boolean {
  return path.every((certificate, at) => {
    const issuer = path[at + 1]
    if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) return false
    if (issuer === undefined) return true
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  })
}
