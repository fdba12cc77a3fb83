import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import type { DkimKey, DkimRow } from './dkim-keys.ts'

/** Keys of acme.example and a verifier that is not ours, for the tests of this folder. */

export function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export const rsaRow: DkimRow = {
  domain: 'acme.example',
  selector: 's1',
  tenants: ['acme'],
  pem: pem(generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey),
}
export const edRow: DkimRow = { domain: 'acme.example', selector: 'e1', tenants: ['acme'], pem: pem(generateKeyPairSync('ed25519').privateKey) }

/** `['rsa-sha256 pass', …]`, topmost signature first, by mailauth against the keys' own DNS records. */
export async function verify(mail: string | Uint8Array, keys: readonly DkimKey[]): Promise<string[]> {
  const resolver = async (name: string): Promise<string[][]> => {
    const key = keys.find((one) => name === `${one.selector}._domainkey.${one.domain}`)
    if (!key) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    return [[key.dnsRecord]]
  }
  const { results } = await dkimVerify(Buffer.from(mail), { resolver, minBitLength: 1_024 })
  return results.map((result) => `${result.algo} ${result.status.result}`)
}
