/** Which certificate each mail host shows: one self-signed for all, unless its row says otherwise. */
import type { SecureContext } from 'node:tls'
import { type Authority, type Certificate, contextOf, selfSigned } from './certificate.ts'
import type { IspRow } from './models/isp.ts'

/** issued: by the world's authority, right in everything · other-name: by it, for a name that is not the host's · expired: by it, until yesterday */
export const CERTIFICATE_KINDS = ['issued', 'other-name', 'expired'] as const
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number]

const DAY_MS = 86_400_000

export function certificatesOf(rows: readonly IspRow[], authority: Authority, now: Date): (host: string) => SecureContext {
  const special = new Map<string, SecureContext>()
  const plain = contextOf(
    selfSigned(
      rows.flatMap(({ hosts }) => hosts),
      now,
    ),
  )
  for (const { certificates = {} } of rows)
    for (const [host, kind] of Object.entries(certificates)) special.set(host, contextOf(made(authority, host, kind, now)))
  return (host) => special.get(host) ?? plain
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
