import type { X509Certificate } from 'node:crypto'
import type { TlsTrouble } from '../../../../protocol/tls-report.ts'
import type { TlsFacts } from '../../smtp/types.ts'
import { matchDane, type TlsaRecord } from './dane.ts'

export type { TlsTrouble }

/** What a connection to one host must be before mail of one domain may go over it; null where the site's row alone decides. */
export type TlsNeed =
  /** a certificate that chains to a known root and names the host (MTA-STS, REQUIRETLS) */
  | { readonly kind: 'pkix' }
  /** a certificate that one of these records vouches for */
  | { readonly kind: 'dane'; readonly records: readonly TlsaRecord[] }
  /** TLS by whatever certificate: the host's TLSA records are there and say nothing that we can use (RFC 7672 2.2) */
  | { readonly kind: 'encrypted' }

/** The peer's side of a handshake that came about, whoever signed its certificate. */
export interface TlsPeer {
  readonly host: string
  /** as sent, the host's own first */
  readonly chain: readonly X509Certificate[]
  /** OpenSSL's word on the chain (`CERT_HAS_EXPIRED`, `SELF_SIGNED_CERT_IN_CHAIN`); null = it leads to a root we know */
  readonly chainTrouble: string | null
}

/** What is wrong with the peer for this need; null = nothing. */
export function troubleWith(peer: TlsPeer, need: TlsNeed, now: number): TlsTrouble | null {
  switch (need.kind) {
    case 'encrypted':
      return null
    case 'pkix':
      return pkixTrouble(peer)
    case 'dane':
      return matchDane(peer.chain, need.records, peer.host, now) ? null : 'validation-failure'
  }
}

export function pkixTrouble({ host, chain, chainTrouble }: TlsPeer): TlsTrouble | null {
  if (chainTrouble !== null) return chainTrouble === 'CERT_HAS_EXPIRED' ? 'certificate-expired' : 'certificate-not-trusted'
  return chain[0] !== undefined && namesHost(chain[0], host) ? null : 'certificate-host-mismatch'
}

/** By its subjectAltName alone: common names are no longer believed (RFC 8461 4.1, RFC 9525 6.3). */
export function namesHost(certificate: X509Certificate, host: string): boolean {
  return certificate.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined
}

/** Would mail with this need have been sent over the session that is open? */
export function meets(tls: TlsFacts | null, need: TlsNeed | null): boolean {
  if (need === null) return true
  if (tls === null) return false
  switch (need.kind) {
    case 'encrypted':
      return true
    case 'pkix':
      return tls.verified
    case 'dane':
      return tls.dane
  }
}
