import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { encode } from '../../protocol/codec.ts'
import { Fleet } from '../../protocol/fleet.ts'
import type { CampaignEvent } from '../../protocol/messages/campaign.ts'
import { fullMask } from '../../protocol/mask.ts'
import { type Order, readOrder } from '../../protocol/messages/mail.ts'
import type { ErrorAnswer } from '../../protocol/messages/ops.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { connectBus } from '../../services/runtime/bus.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { bytes, gather, listeningLog, text, until } from '../kit/bus.ts'
import { startCluster, type TestCluster } from '../kit/cluster.ts'
import { loopbackFleet } from '../kit/fleets.ts'

/** Bad input gets a clear error, and nothing is lost: what a publisher sends, and the words that a person then reads. */

let world: World
let cluster: TestCluster
let fleet: { tenant: object[]; pool: object[]; ip: object[]; dkim: { key: string }[] }

beforeAll(async () => {
  world = await startWorld({ behaviours: 'none' })
  const acme = loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }, { ips: 1 }) as typeof fleet
  fleet = {
    ...acme,
    tenant: [...acme.tenant, { name: 'other', domains: ['other.example'], return_path: 'bounce.other.example' }],
    pool: [...acme.pool, { name: 'others', tenants: ['other'] }],
    ip: [...acme.ip, { address: '127.0.1.9', pool: 'others', ehlo: 'mx9.hato.example' }],
  }
  cluster = await startCluster({ fleet, senders: 1 })
  await openObjects(cluster.bus, OBJECT_BUCKET).put('content/30mb.bin', [new Uint8Array(30_000_000)])
  await openObjects(cluster.bus, OBJECT_BUCKET).put('lists/unusable.ndjson', [
    bytes(Array.from({ length: 500 }, (_, at) => (at % 16 === 0 ? '{"address":"no"}' : `{"address":"ok+${at}@gmail.com"}`)).join('\n')),
  ])
  await openObjects(cluster.bus, OBJECT_BUCKET).put('lists/empty.ndjson', [])
}, 120_000)
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
}, 60_000)

let count = 0
const notice = (more: object = {}) => ({
  id: `bad-${++count}`,
  kind: 'notice',
  from: { name: 'Acme', address: 'news@acme.example' },
  subject: 'Hello',
  text: 'Hello',
  recipients: [{ address: 'ok@gmail.com' }],
  ...more,
})
const marketing = (more: object = {}) =>
  notice({
    kind: 'marketing',
    list: { id: 'news' },
    unsubscribe: { url: 'https://acme.example/u/{{ token }}' },
    recipients: [
      { address: 'ok+1@gmail.com', vars: { token: 'a' } },
      { address: 'ok+2@gmail.com', vars: { token: 'b' } },
    ],
    ...more,
  })
const hundredThousand = Array.from({ length: 100_000 }, (_, at) => ({ address: at === 77_777 ? 'taro@@example.jp' : `ok+${at}@gmail.com` }))

/** what is published (a string goes as it is) → path and words of one of its problems */
const JOBS: readonly (readonly [what: string, job: () => object | string, path: string, words: RegExp])[] = [
  ['unparseable JSON', () => '{"id": "x", ', '', /neither JSON nor msgpack/],
  ['an unknown key', () => notice({ colour: 'red' }), 'colour', /unknown key/],
  ['one bad address among 100,000', () => notice({ recipients: hundredThousand }), 'recipients[77777].address', /"taro@@example.jp" is not an address/],
  ['CR/LF in the subject', () => notice({ subject: 'a\r\nBcc: x@y.example' }), 'subject', /CR|line/i],
  ['CR/LF in a name', () => notice({ from: { name: 'a\nb', address: 'news@acme.example' } }), 'from.name', /CR|line/i],
  ['CR/LF in a header', () => notice({ headers: { 'X-A': 'a\r\nb' } }), 'headers.X-A', /CR|line/i],
  ['a header that is ours', () => notice({ headers: { 'Message-ID': 'x' } }), 'headers.Message-ID', /./],
  ['a template that does not compile', () => notice({ text: 'Hello {{ name' }), 'text', /./],
  ['a template that loops for ever', () => notice({ text: '{% for i in (1..1000000000) %}x{% endfor %}' }), 'text', /limit|loop|memory/i],
  [
    'a 30 MB attachment',
    () => notice({ attachments: [{ filename: 'a.bin', contentType: 'application/octet-stream', object: 'content/30mb.bin' }] }),
    'attachments',
    /25|MB|octets/,
  ],
  [
    'an attachment that is not there',
    () => notice({ attachments: [{ filename: 'a.bin', contentType: 'application/octet-stream', object: 'content/none.bin' }] }),
    'attachments[0].object',
    /none\.bin/,
  ],
  ['an unknown pool', () => notice({ pool: 'none' }), 'pool', /there is no pool "none"; tenant "acme" may use acme/],
  ["a pool of another tenant's", () => notice({ pool: 'others' }), 'pool', /pool "others" is not for tenant "acme"/],
  [
    'a From outside its domains',
    () => notice({ from: { address: 'news@other.example' } }),
    'from.address',
    /other\.example is not a domain of this tenant \(acme\.example\)/,
  ],
  ['marketing without one-click', () => marketing({ unsubscribe: undefined }), 'unsubscribe', /./],
  [
    'marketing whose link is the same for all',
    () => marketing({ unsubscribe: { url: 'https://acme.example/u' } }),
    'unsubscribe.url',
    /is the same for every recipient/,
  ],
  ['marketing without a list', () => marketing({ list: undefined }), 'list', /./],
  [
    'marketing to a role address',
    () => marketing({ recipients: [{ address: 'abuse@gmail.com', vars: { token: 'a' } }] }),
    'recipients[0].address',
    /role address/,
  ],
  ['sendAt in the past', () => notice({ sendAt: '2020-01-01T00:00:00Z' }), 'sendAt', /before the publish/],
  ['an empty list', () => notice({ recipients: [] }), 'recipients', /nobody to send to/],
  [
    'a list object that is missing',
    () => notice({ recipients: undefined, recipientsObject: 'lists/none.ndjson' }),
    'recipientsObject',
    /no object "lists\/none\.ndjson"/,
  ],
  ['a list object that is empty', () => notice({ recipients: undefined, recipientsObject: 'lists/empty.ndjson' }), 'recipientsObject', /is empty/],
  [
    'a list of which 6 % is unusable',
    () => notice({ recipients: undefined, recipientsObject: 'lists/unusable.ndjson' }),
    'recipientsObject',
    /32 of the first 500 lines .* are unusable \(6\.4 %, at most 5 %\)/,
  ],
  ['a window in a zone that does not exist', () => notice({ window: { from: '08:00', to: '21:00', tz: 'Asia/Tokio' } }), 'window.tz', /Asia\/Tokio/],
]

async function verdictOf(seq: number, type: CampaignEvent['type'] = 'rejected'): Promise<CampaignEvent> {
  let found: CampaignEvent | undefined
  await until(
    `${type} for publish ${seq}`,
    async () => {
      const events = await gather(cluster.bus.scan(STREAM.events, wildcard('campaignEvent')))
      found = events.map(({ body }) => JSON.parse(text(body)) as CampaignEvent).find((event) => event.ofPublish === seq && event.type === type)
      return found !== undefined
    },
    20_000,
  )
  return found as CampaignEvent
}

describe('a campaign that cannot be sent', () => {
  it.each(JOBS)('%s', { timeout: 30_000 }, async (_, job, path, words) => {
    const body = job()
    const stored = await cluster.bus.store(subject('campaignJob', { tenant: 'acme' }), bytes(typeof body === 'string' ? body : JSON.stringify(body)))
    if (stored.kind !== 'stored') throw new Error(stored.message)
    const { problems } = await verdictOf(stored.seq)
    const about = problems.filter((problem) => problem.path === path || (path !== '' && problem.path.startsWith(path)))
    expect(about.map(({ message }) => message).join('\n'), JSON.stringify(problems)).toMatch(words)
    if (typeof body !== 'string') expect(await cluster.status('acme', (body as { id: string }).id)).toMatchObject({ state: 'rejected', recipients: 0 })
  })

  it('same id, other content: the running one goes on untouched', { timeout: 30_000 }, async () => {
    const job = notice({ sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await verdictOf(await cluster.publish('acme', job), 'accepted')
    const { problems } = await verdictOf(await cluster.publish('acme', { ...job, subject: 'other' }))
    expect(problems[0]).toMatchObject({ path: 'id', message: expect.stringContaining('goes on untouched') })
    expect((await cluster.status('acme', job.id)).state).toBe('scheduled')
  })

  it('mended, it is taken under the same id', { timeout: 30_000 }, async () => {
    const job = notice({ pool: 'none' })
    await verdictOf(await cluster.publish('acme', job))
    await verdictOf(await cluster.publish('acme', { ...job, pool: 'acme' }), 'accepted')
    expect((await cluster.until('acme', job.id, ({ state }) => state === 'finished', 20_000)).delivered).toBe(1)
  })
})

describe('a fleet document that cannot be obeyed', () => {
  const pem = (key: { export(options: { format: 'pem'; type: 'pkcs8' }): string | Buffer }) => key.export({ format: 'pem', type: 'pkcs8' }).toString()
  const key = (text: string, more: object = {}) => ({ ...fleet, dkim: [{ domain: 'acme.example', tenants: ['acme'], selector: 's1', key: text, ...more }] })
  const FLEETS: readonly (readonly [what: string, document: () => object, words: RegExp])[] = [
    ['a typo', () => ({ ...fleet, pol: [] }), /pol/],
    ['a DKIM key that is none', () => key('hello'), /not a|PEM|key/i],
    ['a weak DKIM key', () => key(pem(generateKeyPairSync('rsa', { modulusLength: 768 }).privateKey)), /768 bits/],
    ['only ed25519', () => key(pem(generateKeyPairSync('ed25519').privateKey)), /ed25519/i],
    ['a key for a tenant nobody knows', () => key(fleet.dkim[0]?.key ?? '', { tenants: ['nobody'] }), /nobody/],
    ['an IP in no pool', () => ({ ...fleet, ip: [{ address: '127.0.1.8', pool: 'none', ehlo: 'mx.hato.example' }] }), /none/],
  ]
  it.each(FLEETS)('%s', async (_, document, words) => {
    const before = await cluster.ask<{ revision: number }>('fleetGet', {})
    const answer = await cluster.ask<ErrorAnswer>('fleetApply', {}, document())
    expect(`${answer.error?.message} ${JSON.stringify(answer.error?.problems)}`).toMatch(words)
    expect((await cluster.ask<{ revision: number }>('fleetGet', {})).revision).toBe(before.revision)
  })

  it('the one in force is still a fleet', () => {
    expect(Fleet.safeParse(fleet).success).toBe(true)
  })
})

describe('a batch nobody can read', () => {
  it('is parked with its reason instead of being dropped or tried for ever', { timeout: 60_000 }, async () => {
    const job = notice({ sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await verdictOf(await cluster.publish('acme', job), 'accepted')
    await cluster.until('acme', job.id, ({ recipients }) => recipients === 1)
    const names = { tenant: 'acme', campaign: job.id }
    // Nobody but the scheduler may store a batch.
    await using scheduler = await connectBus({ url: cluster.natsUrl, name: 'test', log: listeningLog(), credentials: await cluster.login('scheduler') })
    const nonsense = await scheduler.store(subject('batch', { ...names, site: 'google' }), bytes('nonsense'))
    if (nonsense.kind !== 'stored') throw new Error(nonsense.message)
    const order: Order = {
      v: 1,
      ...names,
      kind: 'notice',
      lane: 'bulk',
      site: 'google',
      provider: 'google',
      pool: 'acme',
      batch: nonsense.seq,
      mask: fullMask(1),
      count: 1,
      attempt: 0,
      deadline: Date.now() + 3_600_000,
    }
    await scheduler.store(subject('order', { shard: 'google', lane: 'bulk' }), encode(order))

    const told = await cluster.until('acme', job.id, ({ waitingFor }) => waitingFor.some(({ because }) => because === 'protocol'), 20_000)
    expect(told.waitingFor.find(({ because }) => because === 'protocol')).toMatchObject({
      site: 'google',
      count: 1,
      until: new Date(order.deadline).toISOString(),
    })
    const parked = await gather(scheduler.scan(STREAM.mail, wildcard('laterRetry', names)))
    expect(parked.map(({ body }) => readOrder(body))).toMatchObject([{ batch: nonsense.seq, parked: true, because: 'protocol' }])
    expect(await cluster.bus.readSeq(STREAM.mail, nonsense.seq)).not.toBeNull()
  })
})
