import type { Stage } from '../../../../protocol/words.ts'
import type { Then } from './rule.ts'

/** What went wrong without a reply. `code` is Node's or OpenSSL's, nodemailer's, or one of ours:
 *  `LEASE_END` our lease or claim ended · `NXDOMAIN` · `NULL_MX` (RFC 7505) · `DNS` (SERVFAIL, time-out) · `TLS_REQUIRED` ·
 *  `TLS_POLICY` the domain's published policy was not met. */
export interface Fault {
  readonly code: string
  readonly message: string
}

/** Our side of the wire: no address to bind, no descriptor, no route at all. */
const OURS = new Set(['EADDRNOTAVAIL', 'EADDRINUSE', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENETDOWN', 'ENETUNREACH', 'EACCES', 'EPERM', 'ENOMEM'])
const DNS = new Set(['DNS', 'EDNS', 'ESERVFAIL', 'SERVFAIL', 'EAI_AGAIN', 'EREFUSED', 'ETIMEOUT'])
const NO_DOMAIN = new Set(['NXDOMAIN', 'ENOTFOUND'])

/** A fault's meaning by stage: the network is a table. */
export function faultMeans(fault: Fault, stage: Stage): Then {
  const { code } = fault
  if (code === 'LEASE_END') return { class: 'lease-end', blames: 'nobody', outcome: 'deferred' }
  if (code === 'NULL_MX') return { class: 'null-mx', blames: 'domain', outcome: 'bounced', suppress: true }
  if (NO_DOMAIN.has(code)) return { class: 'no-such-domain', blames: 'domain', outcome: 'bounced', suppress: true }
  if (DNS.has(code)) return { class: 'dns', blames: 'domain' }
  if (stage === 'idle') return { class: 'session-end', blames: 'nobody' }
  // Nobody knows whether the mail was taken: kind decides (delivery.md §4), and that is not this table's.
  if (stage === 'dot') return { class: 'lost-dot', blames: 'nobody' }
  if (code === 'TLS_POLICY') return { class: 'tls-policy', blames: 'host' }
  if (OURS.has(code)) return { class: 'unreachable', blames: 'us' }
  if (
    stage === 'starttls' ||
    code === 'ETLS' ||
    code === 'EPROTO' ||
    code === 'TLS_REQUIRED' ||
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    code.startsWith('CERT_')
  ) {
    return { class: 'tls', blames: 'host' }
  }
  return { class: 'unreachable', blames: 'host' }
}
