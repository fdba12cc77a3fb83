/** Fleets of the trials: one tenant, one pool, unsigned mail, and one row of limits for the site or for everybody. */
import { Fleet } from '../../../protocol/fleet.ts'

export const TENANT = 'acme'
export const FROM = 'news@plain.example'

export interface Lines {
  readonly dns: string
  readonly smtpPort: number
  readonly ips: number
  readonly isp: Readonly<Record<string, unknown>> & { readonly name: string }
}

export function trialFleet({ dns, smtpPort, ips, isp }: Lines): Fleet {
  return Fleet.parse({
    network: { dns: [dns], smtp_port: smtpPort, only_private_mx: true },
    preflight: { off: true },
    tenant: [{ name: TENANT, domains: ['plain.example'], return_path: 'bounce.plain.example', feedback_id: 'acmeco' }],
    pool: [{ name: 'acme', tenants: [TENANT] }],
    ip: Array.from({ length: ips }, (_, at) => ({ address: `127.0.1.${at + 1}`, pool: 'acme', ehlo: `mx${at + 1}.hato.example` })),
    isp: [isp],
    retry: { first: '1s' },
  })
}

/** Nothing holds mail back but what the row says otherwise. */
export const NO_LIMITS = {
  mails_per_session: 1_000_000,
  rcpts_per_session: 1_000_000,
  connects_per_minute: 100_000,
  mails_per_second: 100_000,
}

/** `to`: the recipients themselves, or the object that lists them. */
export const job = (
  id: string,
  html: string,
  to: { readonly recipients: readonly { readonly address: string }[] } | { readonly recipientsObject: string },
) => ({
  id,
  kind: 'notice',
  from: { name: 'Acme', address: FROM },
  subject: 'News for {{ address }}',
  text: 'Dear {{ address }},\n\nthe news are in the HTML part.\n',
  html,
  ...to,
})
