import { provider } from './row.ts'
import type { ProviderRow } from './row.ts'
import { A } from './sources.ts'

function hosting(name: string, mx: readonly string[], sampleMx: ProviderRow['sampleMx']): ProviderRow {
  return provider({ name, mx, sessionsPerIp: 5, mailsPerSession: 50, since: { mx: A, sessionsPerIp: A, mailsPerSession: A }, sampleMx })
}

/** Mail for domains of others; none publishes limits. */
export const HOSTING = [
  hosting('zoho', ['zoho.com'], [['mx.zoho.com']]),
  hosting('fastmail', ['messagingengine.com'], [['in1-smtp.messagingengine.com']]),
  hosting('proton', ['protonmail.ch'], [['mail.protonmail.ch']]),
  hosting('rackspace', ['emailsrvr.com'], [['mx1.emailsrvr.com']]),
  hosting('godaddy', ['secureserver.net'], [['smtp.secureserver.net']]),
  hosting('ovh', ['mail.ovh.net'], [['mx1.mail.ovh.net'], ['mx0.mail.ovh.net', 'mx1.mail.ovh.net']]),
  hosting('cloudflare-routing', ['mx.cloudflare.net'], [['route1.mx.cloudflare.net', 'route2.mx.cloudflare.net', 'route3.mx.cloudflare.net']]),
]
