import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { systemClock } from '../runtime/clock.ts'
import { createResolver } from '../runtime/dns/resolver.ts'
import type { Running } from './campaigns.ts'
import { Preflight } from './preflight.ts'
import { rejectedRecord } from './records.ts'

const key = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
const domains = ['acme.example', 'beta.example']
const silent = { info() {}, warn() {}, error() {}, debug() {} } as never

function publishAll(world: World): void {
  world.publishSenderRecords({
    sources: [{ address: '127.0.1.1', ehlo: 'mx1.hato.example' }],
    tenants: [{ domains, returnPath: 'bounce.acme.example' }],
    dkim: domains.map((domain) => ({ domain, selector: 's1', publicKey })),
  })
}

function lab(world: World, more: object = {}, scheduled: readonly CampaignRecord[] = []) {
  const fleet = Fleet.parse({
    network: { dns: [world.dns] },
    tenant: [{ name: 'acme', domains, return_path: 'bounce.acme.example' }],
    pool: [{ name: 'main' }],
    ip: [{ address: '127.0.1.1', pool: 'main', ehlo: 'mx1.hato.example' }],
    dkim: domains.map((domain) => ({ domain, tenants: ['acme'], selector: 's1', key })),
    ...more,
  })
  const record: FleetRecord = { revision: 1, appliedAt: '', fleet, secret: '' }
  const resolver = createResolver({ servers: [world.dns] })
  const refused: string[] = []
  const preflight = new Preflight({
    bus: null as unknown as Bus, // asked for a list's content alone
    resolver: () => resolver,
    fleet: () => record,
    campaigns: { all: () => scheduled.map((one) => ({ record: one }) as Running) },
    refuse: async ({ record: { id } }, problems) => void refused.push(`${id} ${problems.map(({ path }) => path).join(' ')}`),
    clock: systemClock,
    log: silent,
  })
  return {
    preflight,
    refused,
    async [Symbol.asyncDispose]() {
      preflight[Symbol.dispose]()
      await resolver[Symbol.asyncDispose]()
    },
  }
}
const asked = { tenant: 'acme', kind: 'marketing', pool: 'main', from: 'news@acme.example' } as const
const paths = (problems: readonly { readonly path: string }[]) => problems.map(({ path }) => path)

test('what is published lets marketing go; what is missing rejects it and warns the rest; a lab is not asked', async () => {
  await using world = await startWorld({ behaviours: 'none' })
  publishAll(world)
  world.dnsFault('_dmarc.beta.example', 'nxdomain')
  await using here = lab(world)
  expect(await here.preflight.judge(asked)).toEqual({ problems: [], warnings: [] })
  expect(paths((await here.preflight.judge({ ...asked, from: 'news@beta.example' })).problems)).toEqual(['preflight.dmarc'])
  const notice = await here.preflight.judge({ ...asked, kind: 'notice', from: 'news@beta.example' })
  expect([paths(notice.problems), paths(notice.warnings)]).toEqual([[], ['preflight.dmarc']])
  await using off = lab(world, { preflight: { off: true } })
  expect(await off.preflight.judge({ ...asked, from: 'news@beta.example' })).toEqual({ problems: [], warnings: [] })
})

test('urgent mail waits a second for DNS and no longer; silence rejects nobody', { timeout: 20_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  world.dnsFault('*', 'drop')
  await using here = lab(world)
  const began = performance.now()
  expect(await here.preflight.judge({ ...asked, kind: 'transactional' })).toEqual({ problems: [], warnings: [] })
  expect(performance.now() - began).toBeLessThan(1_500)
})

test('each day marketing that has not begun is judged again, and what is no longer ready is refused; other mail is let be', async () => {
  await using world = await startWorld({ behaviours: 'none' })
  publishAll(world)
  world.dnsFault('_dmarc.beta.example', 'nxdomain')
  const record = (id: string, more: Partial<CampaignRecord>): CampaignRecord => ({
    ...rejectedRecord('acme', id, 1, [], 0),
    state: 'scheduled',
    pool: 'main',
    kind: 'marketing',
    ...more,
  })
  await using here = lab(world, {}, [
    record('ready', { from: 'acme.example' }),
    record('not-ready', { from: 'beta.example' }),
    record('recall', { from: 'beta.example', kind: 'notice' }),
  ])
  await here.preflight.daily()
  expect(here.refused).toEqual(['not-ready preflight.dmarc'])
})
