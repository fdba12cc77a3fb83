/** The benchmark's fleet: one tenant, three From domains (unsigned, RSA, RSA and Ed25519), limits lifted at the one site there is. */
import { generateKeyPairSync } from 'node:crypto'
import { Fleet } from '../../../protocol/fleet.ts'
import type { Dkim } from '../cells.ts'

export const TENANT = 'acme'
export const FROM_DOMAIN: Readonly<Record<Dkim, string>> = { none: 'plain.example', 'rsa-2048': 'rsa.example', 'rsa-2048 + ed25519': 'both.example' }
export const MX = 'mx.sink.example'
const IPS = 4
export const SESSIONS = 20

export function benchFleet(network: { readonly dns: string; readonly smtpPort: number }): Fleet {
  const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const ed25519 = generateKeyPairSync('ed25519').privateKey
  return Fleet.parse({
    network: { dns: [network.dns], smtp_port: network.smtpPort, only_private_mx: true },
    preflight: { off: true },
    tenant: [{ name: TENANT, domains: Object.values(FROM_DOMAIN), return_path: 'bounce.plain.example', feedback_id: 'acmeco' }],
    pool: [{ name: 'acme', tenants: [TENANT] }],
    ip: Array.from({ length: IPS }, (_, at) => ({ address: `127.0.1.${at + 1}`, pool: 'acme', ehlo: `mx${at + 1}.hato.example` })),
    dkim: [
      { domain: FROM_DOMAIN['rsa-2048'], tenants: [TENANT], selector: 's1', key: pem(rsa) },
      { domain: FROM_DOMAIN['rsa-2048 + ed25519'], tenants: [TENANT], selector: 's1', key: pem(rsa) },
      { domain: FROM_DOMAIN['rsa-2048 + ed25519'], tenants: [TENANT], selector: 's2', key: pem(ed25519) },
    ],
    // One next hop that bears all: what is measured is Hato, not the manners it has towards strangers.
    isp: [
      {
        name: 'sink',
        mx: ['sink.example'],
        sessions_start: SESSIONS / IPS,
        sessions_per_ip: SESSIONS / IPS,
        mails_per_session: 1_000_000,
        rcpts_per_session: 1_000_000,
        connects_per_minute: 10_000,
        mails_per_second: 100_000,
        ahead: 'always',
      },
    ],
    warmup: { from_start: 0 },
    retry: { first: '1s' },
  })
}
