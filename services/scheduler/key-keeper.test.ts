import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignRecord, HeldSite } from '../../protocol/messages/campaign.ts'
import { type DkimKeysRow, goneOf } from '../../protocol/messages/dkim-keys.ts'
import { dkimRowsOf, loadDkimKeys } from '../content/dkim-keys.ts'
import type { Answer } from '../runtime/dns/answer.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import type { Running } from './campaigns.ts'
import { KeyKeeper, NO_KEY } from './key-keeper.ts'
import { rejectedRecord } from './records.ts'

const MINUTE_MS = 60_000
const fleet = (more: object = {}) =>
  Fleet.parse({
    network: { dns: ['127.0.0.1:1'] },
    tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
    pool: [{ name: 'main' }],
    ip: [{ address: '127.0.1.1', pool: 'main', ehlo: 'mx1.hato.example' }],
    dkim: [
      {
        domain: 'acme.example',
        tenants: ['acme'],
        selector: 's1',
        key: generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    ],
    ...more,
  })
const silent: Log = { info() {}, warn() {}, error() {}, debug() {} } as never

/** One campaign at work, DNS as the test says, time as the test lets it pass. */
async function lab() {
  const document: { record: FleetRecord } = { record: { revision: 1, appliedAt: '', secret: '', fleet: fleet() } }
  const dnsRecord = loadDkimKeys(dkimRowsOf(document.record.fleet)).keys[0]?.dnsRecord ?? ''
  let now = 0
  let says: Pick<Answer<'TXT'>, 'rcode' | 'records'> = { rcode: 'NOERROR', records: [dnsRecord] }
  let asked = 0
  let row: { value: Uint8Array; revision: number } | null = null
  const heldSites: Record<string, HeldSite> = {}
  const record: CampaignRecord = { ...rejectedRecord('acme', 'c', 1, [], 0), state: 'running', from: 'acme.example', heldSites }
  const atWork = new Set([{ record } as Running])
  const bucket = {
    get: async () => row,
    update: async (_: string, value: Uint8Array, revision: number) => {
      if (revision !== (row?.revision ?? 0)) return null
      row = { value, revision: revision + 1 }
      return row.revision
    },
  } as unknown as Bucket
  const open = () =>
    KeyKeeper.open({
      bucket,
      resolver: () => ({
        txt: async () => {
          asked++
          return { ...says, ttlS: 30, ad: false, because: null }
        },
      }),
      fleet: () => document.record,
      campaigns: { all: () => atWork },
      hold: async (_, why) => {
        heldSites['*'] = { because: NO_KEY, says: why, at: now }
      },
      letGo: async () => void delete heldSites['*'],
      again: (act) => act(),
      clock: { now: () => now, mono: () => now },
      log: silent,
      times: { everyMs: 60 * MINUTE_MS, againMs: 5 * MINUTE_MS },
    })
  let keeper = await open()
  return {
    document,
    atWork,
    record,
    asked: () => asked,
    held: () => heldSites['*']?.says ?? null,
    whyHeld: () => keeper.whyHeld({ record } as Running),
    gone: () => (row === null ? 0 : goneOf(decode<DkimKeysRow>(row.value).missing).size),
    say: (rcode: Answer['rcode'], records: string[] = []) => {
      says = { rcode, records }
    },
    shown: () => {
      says = { rcode: 'NOERROR', records: [dnsRecord] }
    },
    restart: async () => {
      keeper = await open()
    },
    overwrite: () => {
      row = { value: encode({ v: 1, missing: {} } satisfies DkimKeysRow), revision: (row?.revision ?? 0) + 5 }
    },
    async pass(minutes: number) {
      for (let minute = 0; minute < minutes; minute++) {
        now += MINUTE_MS
        await keeper.look()
      }
    },
  }
}

test('a key is asked for hourly while it is shown, each five minutes while it is not; a campaign is held at the second denial and let go at the first sight', async () => {
  const here = await lab()
  await here.pass(121)
  expect(here.asked()).toBe(3)
  here.say('NXDOMAIN')
  await here.pass(60)
  expect([here.held(), here.gone()], 'denied once').toEqual([null, 0])
  await here.pass(5)
  expect(here.held()).toContain('publish s1._domainkey.acme.example TXT v=DKIM1')
  expect(here.gone()).toBe(1)
  const before = here.asked()
  await here.pass(50)
  expect(here.asked() - before).toBe(10)
  here.shown()
  await here.pass(5)
  expect([here.held(), here.gone(), here.whyHeld()]).toEqual([null, 0, null])
})

test('trouble of DNS holds nothing, however long, and lets nothing go', async () => {
  const here = await lab()
  await here.pass(1)
  for (const rcode of ['SERVFAIL', 'TIMEOUT', 'DOUBTED', 'REFUSED'] as const) {
    here.say(rcode)
    await here.pass(120)
  }
  expect([here.held(), here.gone()]).toEqual([null, 0])
  here.say('NOERROR', ['v=DKIM1; k=rsa; p='])
  await here.pass(10)
  expect(here.held()).toContain('revoked')
  here.say('SERVFAIL')
  await here.pass(120)
  expect(here.held()).toContain('revoked')
})

test('the next owner knows what the last one knew; what another wrote is believed, and asked anew', async () => {
  const here = await lab()
  here.say('NXDOMAIN')
  await here.pass(10)
  expect(here.gone()).toBe(1)
  await here.restart()
  expect(here.whyHeld()).not.toBe(null)
  here.overwrite()
  here.shown()
  await here.pass(5)
  expect([here.gone(), here.whyHeld()]).toEqual([0, null])
})

test('of a campaign that ended within a minute the keys are asked for too, for two hours', async () => {
  const here = await lab()
  await here.pass(1)
  here.atWork.clear()
  here.say('NXDOMAIN')
  await here.pass(70)
  expect(here.whyHeld(), 'the next campaign is held at its acceptance').not.toBe(null)
})

test('another key, or a fleet that asks nobody, ends the hold', async () => {
  for (const more of [fleet(), fleet({ preflight: { off: true } })]) {
    const here = await lab()
    here.say('NXDOMAIN')
    await here.pass(10)
    expect(here.held()).not.toBe(null)
    here.document.record = { ...here.document.record, revision: 2, fleet: more }
    await here.pass(1)
    expect([here.held(), here.gone()]).toEqual([null, 0])
  }
})
