/**
 * What a tenant does once before it sends, done in the simulated internet: DKIM keys that the fleet file names and nobody has made yet,
 * and its SPF, DKIM, DMARC, MX and PTR records.
 */
import { generateKeyPairSync } from 'node:crypto'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'smol-toml'
import type { Fleet } from '../../protocol/fleet.ts'
import { loadDkimKeys } from '../../services/content/dkim-keys.ts'
import { readConfig } from '../../services/runtime/config.ts'
import { readFleetFile } from '../start/fleet-file.ts'
import type { SenderFacts } from '../world/dns/sender-records.ts'
import { WORLD_RECORDS_CONFIG } from './config.ts'
import { oneShot } from './one-shot.ts'

await oneShot(async (say, signal) => {
  const config = readConfig(WORLD_RECORDS_CONFIG, process.env)
  for (const file of await missingKeys(config.fleet)) {
    await makeKey(file)
    say(`made ${file}`)
  }
  const facts = factsOf(await readFleetFile(config.fleet))
  const response = await fetch(`${config.worldUrl}/publish-sender-records`, { method: 'POST', body: JSON.stringify(facts), signal })
  if (!response.ok) throw new Error(`${config.worldUrl} refused the records: ${await response.text()}`)
  say(`published the records of ${facts.tenants.flatMap(({ domains }) => domains).join(', ')}`)
})

/** Whatever is wrong with the file itself is told by `readFleetFile` afterwards. */
async function missingKeys(fleetFile: string): Promise<string[]> {
  const { dkim = [] } = parse(await readFile(fleetFile, 'utf8')) as { dkim?: readonly { readonly key?: string }[] }
  const files = new Set(dkim.flatMap(({ key }) => (key === undefined || key.includes('-----BEGIN') ? [] : [resolve(dirname(fleetFile), key)])))
  const checked = await Promise.all(
    [...files].map(async (file) => ({
      file,
      there: await access(file).then(
        () => true,
        () => false,
      ),
    })),
  )
  return checked.filter(({ there }) => !there).map(({ file }) => file)
}

async function makeKey(file: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
}

function factsOf(fleet: Fleet): Omit<SenderFacts, 'inbound'> {
  const { keys } = loadDkimKeys(fleet.dkim.map(({ domain, selector, key, tenants }) => ({ domain, selector, pem: key, tenants })))
  return {
    sources: fleet.ip.map(({ address, ehlo }) => ({ address, ehlo })),
    tenants: fleet.tenant.map(({ domains, return_path }) => ({ domains, returnPath: return_path })),
    dkim: keys.map(({ domain, selector, algorithm, dnsRecord }) => ({
      domain,
      selector,
      publicKey: /p=([A-Za-z0-9+/=]+)/.exec(dnsRecord)?.[1] ?? '',
      type: algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519',
    })),
  }
}
