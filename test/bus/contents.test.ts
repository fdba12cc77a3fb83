/** A sender's contents against real objects: which of the fleet's keys sign, as the scheduler's row says. */
import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { encodeJson } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignContent } from '../../protocol/messages/campaign.ts'
import type { Batch } from '../../protocol/messages/mail.ts'
import { dkimRowsOf, keyId, loadDkimKeys } from '../../services/content/dkim-keys.ts'
import { signInPool } from '../../services/content/signer.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { Contents } from '../../services/sender/contents.ts'
import { natsForFile } from '../kit/bus.ts'

const here = natsForFile()
const pem = (type: 'rsa' | 'ed25519') =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 1_024 }) : generateKeyPairSync('ed25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
const fleet = Fleet.parse({
  network: { dns: ['127.0.0.1:1'] },
  tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
  pool: [{ name: 'main' }],
  ip: [{ address: '127.0.1.1', pool: 'main', ehlo: 'mx1.acme.example' }],
  dkim: [
    { domain: 'acme.example', tenants: ['acme'], selector: 'old', key: pem('rsa') },
    { domain: 'acme.example', tenants: ['acme'], selector: 'new', key: pem('rsa'), from: '2026-01-01' },
    { domain: 'acme.example', tenants: ['acme'], selector: 'ed', key: pem('ed25519') },
  ],
})
const record: FleetRecord = { revision: 1, appliedAt: '', secret: '0123456789abcdef0123', fleet }
const { keys } = loadDkimKeys(dkimRowsOf(fleet))
const idsOf = (...selectors: string[]) => new Set(keys.filter(({ selector }) => selectors.includes(selector)).map(keyId))
const content = {
  v: 1,
  tenant: 'acme',
  campaign: 'c',
  kind: 'notice',
  content: { from: { address: 'news@acme.example' }, subject: 'Hello', text: 'Hello' },
  missing: 'fail',
  test: false,
  date: Date.parse('2026-11-24'),
} as unknown as CampaignContent
const batch = {
  tenant: 'acme',
  campaign: 'c',
  kind: 'notice',
  content: 'content/acme/c/1',
  recipients: [{ address: 'taro@example.jp', name: null, ref: null, vars: null }],
} as unknown as Batch

beforeAll(async () => {
  await here.bus.ensureObjectBucket(OBJECT_BUCKET)
  await openObjects(here.bus, OBJECT_BUCKET).put(batch.content, [encodeJson(content)])
})

it('the keys that DNS shows sign, RSA first, from the next mail on; what is in hand when the last is gone is never unsigned', async () => {
  const contents = new Contents({ bus: here.bus, fleet: () => record, sign: signInPool })
  const signers = async () => {
    const rendered = await contents.render(batch, 1, 0)
    if (rendered.kind !== 'mail') throw new Error(rendered.because)
    const text = Buffer.concat(rendered.mail.body as Uint8Array[]).toString()
    return [...text.matchAll(/\bs=([a-z]+);/g)].map(([, selector]) => selector)
  }
  expect(await signers()).toEqual(['new', 'ed'])
  contents.without(idsOf('new'))
  expect(await signers()).toEqual(['old', 'ed'])
  contents.without(idsOf('new', 'ed'))
  expect(await signers()).toEqual(['old'])
  contents.without(idsOf('new', 'old'))
  expect(await signers()).toEqual(['new', 'ed'])
  contents.without(new Set())
  expect(await signers()).toEqual(['new', 'ed'])
})
