/** The demo's fleet: one tenant with fresh keys, a pool for each kind of mail, and patience cut from hours to seconds. */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { z } from 'zod'
import { Fleet } from '../../protocol/fleet.ts'
import type { SenderFacts } from '../world/dns/sender-records.ts'
import { DEMO_ISPS, DEMO_RETRY, DEMO_RULES } from './patience.ts'

export interface DemoFleet {
  readonly fleet: Fleet
  /** what the tenant publishes in DNS */
  readonly facts: Omit<SenderFacts, 'inbound'>
}

export const TENANT = 'acme'
export const DOMAIN = 'acme.example'
const RETURN_PATH = 'bounce.acme.example'

/** Marketing and transactional mail leave from different addresses, as Apple and Google ask. */
export const POOLS = { marketing: 'acme-news', transactional: 'acme-orders' } as const
const SOURCES = [
  { address: '127.0.1.1', pool: POOLS.marketing },
  { address: '127.0.1.2', pool: POOLS.marketing },
  { address: '127.0.1.3', pool: POOLS.marketing },
  { address: '127.0.1.4', pool: POOLS.marketing },
  { address: '127.0.1.11', pool: POOLS.transactional },
  { address: '127.0.1.12', pool: POOLS.transactional },
] as const

/** `authority`: who vouches for the ISPs that enforce MTA-STS, as Gmail does. */
export async function demoFleet(network: {
  readonly dns: string
  readonly smtpPort: number
  readonly stsPort?: number
  readonly authority?: string
}): Promise<DemoFleet> {
  const [rsa, ed25519] = await Promise.all([rsaKey(), ed25519Key()])
  const sources = SOURCES.map((source, at) => ({ ...source, ehlo: `mx${at + 1}.hato.example` }))
  const document: z.input<typeof Fleet> = {
    network: { dns: [network.dns], smtp_port: network.smtpPort, only_private_mx: true },
    tenant: [{ name: TENANT, domains: [DOMAIN], return_path: RETURN_PATH, feedback_id: 'acmeco' }],
    tls: { ...(network.authority && { ca: network.authority }), ...(network.stsPort && { sts_port: network.stsPort }) },
    pool: Object.values(POOLS).map((name) => ({ name, tenants: [TENANT] })),
    ip: sources,
    dkim: [
      { domain: DOMAIN, tenants: [TENANT], selector: 'rsa', key: rsa.privateKey },
      { domain: DOMAIN, tenants: [TENANT], selector: 'ed', key: ed25519.privateKey },
    ],
    warmup: { from_start: 0 }, // the simulated providers know the domain
    retry: DEMO_RETRY,
    rule: DEMO_RULES,
    isp: DEMO_ISPS,
  }
  return {
    fleet: Fleet.parse(document),
    facts: {
      sources: sources.map(({ address, ehlo }) => ({ address, ehlo })),
      tenants: [{ domains: [DOMAIN], returnPath: RETURN_PATH }],
      dkim: [
        { domain: DOMAIN, selector: 'rsa', publicKey: rsa.publicKey, type: 'rsa' },
        { domain: DOMAIN, selector: 'ed', publicKey: ed25519.publicKey, type: 'ed25519' },
      ],
    },
  }
}

const generate = promisify(generateKeyPair)

async function rsaKey() {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 })
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}

/** RFC 8463: the DNS record holds the 32 bytes alone, which are the end of the DER form. */
async function ed25519Key() {
  const { privateKey, publicKey } = await generate('ed25519')
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64'),
  }
}
