import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BUCKETS, KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignEvent, CampaignStatus } from '../../protocol/messages/campaign.ts'
import type { Batch, Claim, Order } from '../../protocol/messages/mail.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { bytes, gather, natsForFile, text, until } from '../kit/bus.ts'

const here = natsForFile()
let world: World
let scheduler: ChildProcess

const fleet = (dns: string) =>
  Fleet.parse({
    network: { dns: [dns], only_private_mx: true },
    tenant: [
      { name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' },
      { name: 'other', domains: ['other.example'], return_path: 'bounce.other.example' },
    ],
    pool: [{ name: 'shared' }, { name: 'own', tenants: ['other'] }],
    ip: [
      { address: '127.0.1.1', pool: 'shared', ehlo: 'mx1.acme.example' },
      { address: '127.0.1.2', pool: 'own', ehlo: 'mx2.acme.example' },
    ],
  })

function startProcess(): ChildProcess {
  return spawn(process.execPath, ['services/scheduler/main.ts'], {
    env: { ...process.env, HATO_NATS_URL: here.nats.url, HATO_SAVE_EVERY: '100ms' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

beforeAll(async () => {
  world = await startWorld({ behaviours: 'none' })
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureBuckets(BUCKETS)
  await here.bus.ensureObjectBucket(OBJECT_BUCKET)
  const record: FleetRecord = { revision: 1, appliedAt: '', secret: '0123456789abcdef0123', fleet: fleet(world.dns) }
  await openBucket(here.bus, 'fleet').put(KEYS.fleet, bytes(JSON.stringify(record)))
  scheduler = startProcess()
}, 30_000)
afterAll(async () => {
  await killed(scheduler)
  await world?.[Symbol.asyncDispose]()
})

let count = 0
const notice = (more: object = {}) =>
  ({
    id: `n${++count}`,
    kind: 'notice',
    from: { name: 'Acme', address: 'news@acme.example' },
    subject: 'ご案内',
    text: 'Hello {{ name }}',
    recipients: [{ address: 'ok@gmail.com' }],
    ...more,
  }) as { id: string; colour?: string }

async function publish(job: object | string, tenant = 'acme'): Promise<number> {
  const stored = await here.bus.store(subject('campaignJob', { tenant }), bytes(typeof job === 'string' ? job : JSON.stringify(job)))
  if (stored.kind !== 'stored') throw new Error(stored.message)
  return stored.seq
}

/** The verdict on one publish, as a publisher would wait for it. */
async function verdict(seq: number): Promise<CampaignEvent> {
  let found: CampaignEvent | undefined
  await until(
    `the verdict on publish ${seq}`,
    async () => {
      const events = await gather(here.bus.scan(STREAM.events, wildcard('campaignEvent')))
      found = events
        .map(({ body }) => JSON.parse(text(body)) as CampaignEvent)
        .find((event) => event.ofPublish === seq && (event.type === 'accepted' || event.type === 'rejected'))
      return found !== undefined
    },
    20_000,
  )
  return found as CampaignEvent
}

async function status(id: string, tenant = 'acme'): Promise<CampaignStatus> {
  const answer = await here.bus.ask(subject('campaignStatus', { tenant, id }), new Uint8Array(), { timeoutMs: 2_000 })
  if (answer.kind !== 'answer') throw new Error(`no status: ${answer.kind}`)
  return JSON.parse(text(answer.body)) as CampaignStatus
}

async function ordersOf(id: string): Promise<Order[]> {
  return (await gather(here.bus.scan(STREAM.mail, wildcard('order')))).map(({ body }) => decode<Order>(body)).filter(({ campaign }) => campaign === id)
}

describe('the scheduler', () => {
  it('takes a small campaign and releases its batch in the step that stores it', async () => {
    const job = notice({ recipients: [{ address: 'ok+1@gmail.com' }, { address: 'ok+2@gmail.com' }, { address: 'ok@docomo.ne.jp' }] })
    expect((await verdict(await publish(job))).type).toBe('accepted')
    await until('two orders', async () => (await ordersOf(job.id)).length === 2)
    const orders = await ordersOf(job.id)
    expect(orders.map(({ site, count: recipients, batch }) => ({ site, recipients, batch })).sort((a, b) => (a.site < b.site ? -1 : 1))).toEqual([
      { site: 'docomo', recipients: 1, batch: 0 }, // so few recipients go within their order
      { site: 'google', recipients: 2, batch: 0 },
    ])
    expect(await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))).toEqual([])
    // The orders are durable before the scheduler has their commit's answer.
    await until('it runs', async () => (await status(job.id)).state === 'running')
    expect(await status(job.id)).toMatchObject({ recipients: 3, waiting: 3, delivered: 0 })
  })

  it('takes the same once, and refuses another under its id', async () => {
    const job = notice()
    await verdict(await publish(job))
    expect(await verdict(await publish(job))).toMatchObject({ type: 'accepted' })
    expect(await verdict(await publish({ ...job, subject: 'another' }))).toMatchObject({ type: 'rejected', problems: [{ path: 'id' }] })
    await until('one order', async () => (await ordersOf(job.id)).length > 0)
    expect(await ordersOf(job.id)).toHaveLength(1)
    await until('it runs', async () => (await status(job.id)).state === 'running')
  })

  it('says all problems at once and queues nothing', async () => {
    const job = notice({
      from: { address: 'x@elsewhere.example' },
      pool: 'own',
      recipients: [{ address: 'taro@@example.jp' }, { address: 'ok@gmail.com' }],
      colour: 'red',
    })
    const rejected = await verdict(await publish(job))
    expect(rejected.type).toBe('rejected')
    expect(rejected.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['colour', 'recipients[0].address']))
    expect(await status(job.id)).toMatchObject({ state: 'rejected', recipients: 0 })
    const { colour: _colour, ...without } = job
    const again = await verdict(await publish(without))
    expect(again.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['from.address', 'pool', 'recipients[0].address']))
  })

  it('reads a list from the object store, counts what is double or unusable, and goes on exactly where it was after kill -9', async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) =>
      JSON.stringify({ address: `ok+${at % 19_000}@${['gmail.com', 'yahoo.co.jp', `d${String(at % 300).padStart(3, '0')}.example`][at % 3]}` }),
    )
    for (let at = 7; at < 20_000; at += 1_000) lines[at] = '{"address": "nonsense"}'
    await openObjects(here.bus, OBJECT_BUCKET).put('lists/l.ndjson', [bytes(lines.join('\n'))])
    const job = notice({ recipients: undefined, recipientsObject: 'lists/l.ndjson', dedupe: 'address' })
    await verdict(await publish(job))
    await until('some batches', async () => (await status(job.id)).recipients > 2_000, 15_000)
    await killed(scheduler)
    scheduler = startProcess()
    await until(
      'the whole list',
      async () =>
        (await here.bus.ask(subject('campaignStatus', { tenant: 'acme', id: job.id }), new Uint8Array(), { timeoutMs: 500 })).kind === 'answer' &&
        (await status(job.id)).listRead === 20_000,
      20_000,
    )
    const told = await status(job.id)
    expect(told.recipients + told.duplicates + told.unusable).toBe(20_000)
    expect(told.unusable).toBe(20)
    const batches = (await gather(here.bus.scan(STREAM.mail, wildcard('batch'))))
      .map(({ body }) => decode<Batch>(body))
      .filter(({ campaign }) => campaign === job.id)
    const addresses = batches.flatMap(({ recipients }) => recipients.map(({ address }) => address))
    expect(addresses).toHaveLength(told.recipients)
    expect(new Set(addresses).size).toBe(told.recipients)
    expect(batches.every(({ recipients }) => recipients.length <= 100)).toBe(true)
  })

  it('stops a list of which 6 % is unusable before anything is sent', async () => {
    const lines = Array.from({ length: 1_000 }, (_, at) => (at % 16 === 0 ? 'nonsense' : JSON.stringify({ address: `ok+${at}@gmail.com` })))
    await openObjects(here.bus, OBJECT_BUCKET).put('lists/bad.ndjson', [bytes(lines.join('\n'))])
    const job = notice({ recipients: undefined, recipientsObject: 'lists/bad.ndjson' })
    const seq = await publish(job)
    await until('rejected', async () => (await status(job.id)).state === 'rejected', 10_000)
    const events = (await gather(here.bus.scan(STREAM.events, wildcard('campaignEvent'))))
      .map(({ body }) => JSON.parse(text(body)) as CampaignEvent)
      .filter(({ ofPublish }) => ofPublish === seq)
    expect(events.at(-1)).toMatchObject({ type: 'rejected' })
    expect(events.at(-1)?.problems[0]?.message).toContain('63 of the first 1000 lines')
    expect(await ordersOf(job.id)).toEqual([])
  })

  it('cancels what waits, with an outcome for everybody', async () => {
    const job = notice({
      sendAt: new Date(Date.now() + 3_600_000).toISOString(),
      recipients: Array.from({ length: 250 }, (_, at) => ({ address: `ok+${at}@gmail.com` })),
    })
    await verdict(await publish(job))
    await until('counted', async () => (await status(job.id)).recipients === 250)
    expect(await status(job.id)).toMatchObject({ state: 'scheduled', waiting: 250, waitingFor: [{ site: 'google', count: 250, because: 'scheduled' }] })
    const answer = await here.bus.ask(subject('campaignControl', { tenant: 'acme', id: job.id }), bytes('{"action":"cancel"}'), { timeoutMs: 5_000 })
    expect(answer.kind).toBe('answer')
    await until('cancelled', async () => (await status(job.id)).state === 'cancelled', 10_000)
    expect(await status(job.id)).toMatchObject({ cancelled: 250, waiting: 0 })
  })

  it('writes off a list that was cancelled, over a kill in the middle, once each; a batch that somebody has claimed is left to him', async () => {
    const domains = ['gmail.com', 'yahoo.co.jp', 'docomo.ne.jp', 'outlook.com']
    const lines = Array.from({ length: 40_000 }, (_, at) => JSON.stringify({ address: `ok+${at}@${domains[at % domains.length]}`, ref: `r-${at}` }))
    await openObjects(here.bus, OBJECT_BUCKET).put('lists/off.ndjson', [bytes(lines.join('\n'))])
    const job = notice({ recipients: undefined, recipientsObject: 'lists/off.ndjson', sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await verdict(await publish(job))
    await until('counted', async () => (await status(job.id)).listRead === lines.length, 20_000)
    const [claimed] = await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))
    const names = { tenant: 'acme', campaign: job.id, batch: claimed?.seq ?? 0 }
    const claim: Claim = { attempt: 0, order: 1, sender: 'another', mask: new Uint8Array([1]) }
    await here.bus.store(subject('claim', names), encode(claim), { rollup: true, expect: { seq: 0 } })

    await here.bus.ask(subject('campaignControl', { tenant: 'acme', id: job.id }), bytes('{"action":"cancel"}'), { timeoutMs: 5_000 })
    const outcomes = async () =>
      (await gather(here.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign: job.id })))).flatMap(
        ({ body }) => (JSON.parse(text(body)) as OutcomeChunk).outcomes,
      )
    await until('some outcomes', async () => (await outcomes()).length > 0)
    await killed(scheduler)
    scheduler = startProcess()
    const size = decode<Batch>(claimed?.body ?? new Uint8Array()).recipients.length
    await until('the others', async () => (await outcomes()).length >= lines.length - size, 30_000)
    const all = await outcomes()
    expect(new Set(all.map(({ ref }) => ref)).size).toBe(lines.length - size)
    expect(all).toHaveLength(lines.length - size)
    expect(all.every(({ outcome }) => outcome === 'cancelled')).toBe(true)
    const answers = async () =>
      (await here.bus.ask(subject('campaignStatus', { tenant: 'acme', id: job.id }), new Uint8Array(), { timeoutMs: 500 })).kind === 'answer'
    await until('counted too', async () => (await answers()) && (await status(job.id)).cancelled === lines.length - size, 20_000)
    expect(await status(job.id)).toMatchObject({ state: 'cancelling', waiting: size, mayBeDuplicate: 0 })
  })
})
