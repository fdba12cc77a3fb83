/**
 * The fleet of the simulated internet, as a person would make one: a DKIM key, a fleet file that names it, and the tenant's SPF, DKIM, DMARC,
 * MX and PTR records. Keys that are there already stay, so that it may run at every `docker compose up`.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'smol-toml'
import { readConfig } from '../../services/runtime/config.ts'
import { DEMO_ISPS, DEMO_RULES } from '../demo/patience.ts'
import type { SenderFacts } from '../world/dns/sender-records.ts'
import { WORLD_FLEET_CONFIG } from './config.ts'
import { oneShot } from './one-shot.ts'

const TENANT = { name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example', feedback_id: 'acmeco' }
const POOL = { name: 'acme', tenants: [TENANT.name] }
const DKIM = { domain: 'acme.example', tenants: [TENANT.name], selector: 's1', key: 'keys/acme.pem' }
/** The last byte of the one address that all senders share: outside of what containers and ISPs get. */
const SOURCE_PART = 200

await oneShot(async (say, signal) => {
  const { fleet: file, subnet, worldUrl } = readConfig(WORLD_FLEET_CONFIG, process.env)
  const publicKey = await publicKeyIn(join(dirname(file), DKIM.key))
  // `auto`: the kernel chooses the source address, so every sender may use this one.
  const source = { address: `${subnet}.${SOURCE_PART}`, pool: POOL.name, ehlo: 'mx1.hato.example', egress: 'auto' }
  const document = {
    network: { dns: [`${subnet}.253:5355`], smtp_port: 2525, only_private_mx: true },
    tenant: [TENANT],
    pool: [POOL],
    ip: [source],
    dkim: [DKIM],
    warmup: { from_start: 0 },
    retry: { first: '2s' },
    rule: DEMO_RULES,
    isp: DEMO_ISPS,
  }
  await writeFile(file, `# The fleet of the simulated internet, written by scripts/compose/world-fleet.ts at every start.\n\n${stringify(document)}`)
  const facts: Omit<SenderFacts, 'inbound'> = {
    sources: [{ address: source.address, ehlo: source.ehlo }],
    tenants: [{ domains: TENANT.domains, returnPath: TENANT.return_path }],
    dkim: [{ domain: DKIM.domain, selector: DKIM.selector, publicKey }],
  }
  const response = await fetch(`${worldUrl}/publish-sender-records`, { method: 'POST', body: JSON.stringify(facts), signal })
  if (!response.ok) throw new Error(`${worldUrl} refused the records: ${await response.text()}`)
  say(`${file} is written, and ${TENANT.domains.join(', ')} has its records`)
})

/** Base64 of the SPKI, as a DKIM record has it; of a new key where there is none. */
async function publicKeyIn(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    const made = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, made, { mode: 0o600 })
    return made
  })
  return createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' }).toString('base64')
}
