/** Which certificate each mail host shows: one self-signed for all, unless its row says otherwise. */
import type { SecureContext } from 'node:tls'
import { type Authority, type Certificate, type CertificateKind, contextOf, selfSigned } from './certificate.ts'
import type { IspRow } from './models/isp.ts'

export interface ShownCertificates {
  contextOf(host: string): SecureContext
  /** PEM, with its authority's behind it where it has one */
  of(host: string): string
}

const DAY_MS = 86_400_000

export function certificatesOf(rows: readonly IspRow[], authority: Authority, now: Date): ShownCertificates {
  const shown = (certificate: Certificate) => ({ cert: certificate.cert, context: contextOf(certificate) })
  const special = new Map(
    rows.flatMap(({ certificates = {} }) => Object.entries(certificates).map(([host, kind]) => [host, shown(made(authority, host, kind, now))] as const)),
  )
  const plain = shown(
    selfSigned(
      rows.flatMap(({ hosts }) => hosts),
      now,
    ),
  )
  const of = (host: string) => special.get(host) ?? plain
  return { contextOf: (host) => of(host).context, of: (host) => of(host).cert }
}

function made(authority: Authority, host: string, kind: CertificateKind, now: Date): Certificate {
  switch (kind) {
    case 'issued':
      return authority.issue([host])
    case 'other-name':
      return authority.issue([`other.${host}`])
    case 'expired':
      return authority.issue([host], { from: new Date(now.getTime() - 10 * DAY_MS), until: new Date(now.getTime() - DAY_MS) })
  }
}
