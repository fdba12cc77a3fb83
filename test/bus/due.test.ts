/** Orders whose waiting is over, against a real server: what becomes of them when senders died, campaigns changed, or a copy is about. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BUCKETS } from '../../protocol/buckets.ts'
import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import { fullMask, maskOf } from '../../protocol/mask.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import { type Batch, carried, type Claim, type Order } from '../../protocol/messages/mail.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { DEFAULT_RETRY } from '../../protocol/retry.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import type { Resolver } from '../../services/runtime/dns/resolver.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { Campaigns, type Running } from '../../services/scheduler/campaigns.ts'
import { startDue } from '../../services/scheduler/due.ts'
import { Sites } from '../../services/scheduler/sites.ts'
import { Suppression } from '../../services/scheduler/suppression.ts'
import { gather, natsForFile, text, until, withFaults } from '../kit/bus.ts'
import { deliveredTo } from '../kit/outcomes.ts'

const here = natsForFile()
const HOUR_MS = 3_600_000
let campaigns: Campaigns
let suppression: Suppression
let due: AsyncDisposable | null = null
let count = 0

beforeAll(async () => {
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureBuckets(BUCKETS)
  suppression = new Suppression({ bus: here.bus, clock: systemClock })
  campaigns = new Campaigns({
    bucket: openBucket(here.bus, 'campaigns'),
    log: here.log,
    onFenced: (name) => {
      throw new Error(name)
    },
  })
})
afterEach(async () => {
  await due?.[Symbol.asyncDispose]()
  due = null
})

const ONE = [{ preference: 5, host: 'gmail-smtp-in.l.google.com' }]

/** The due check; everybody named in `alive` lives. */
async function started(alive: readonly string[] = [], bus: Bus = here.bus, hosts: readonly object[] = ONE): Promise<void> {
  const resolver = { mailHosts: async () => ({ kind: 'hosts', hosts }) } as unknown as Resolver
  const sites = new Sites(() => resolver)
  due = await startDue({
    bus,
    clock: systemClock,
    log: here.log,
    isAlive: async (id) => alive.includes(id),
    campaigns,
    sites,
    suppression,
    policy: () => DEFAULT_RETRY,
  })
}

async function campaign(change: Partial<CampaignRecord> = {}): Promise<Running> {
  const id = `c${++count}`
  const now = Date.now()
  const tally = {
    position: 0,
    delivered: 0,
    unconfirmed: 0,
    bounced: 0,
    expired: 0,
    suppressed: 0,
    cancelled: 0,
    mayBeDuplicate: 0,
    bouncedLater: 0,
    complained: 0,
    unsubscribed: 0,
  }
  const times = { acceptedAt: now, startAt: now - 1_000, startedAt: now, finishedAt: null, deadline: now + HOUR_MS }
  const rules = { kind: 'notice', lane: 'bulk', pool: 'p', weight: 1, rate: null, window: null, dedupe: 'none', missing: 'skip', test: false } as const
  const rest = { job: count, digest: '', content: 'c', list: null, listId: null, inline: 1, problems: [], before: null, expansion: null, tally } as const
  const running = await campaigns.create({ v: 1, tenant: 'acme', id, state: 'running', ...rules, ...times, ...rest, ...change })
  return running as Running
}

async function stored(on: string, body: Uint8Array, options: object = {}): Promise<number> {
  const answer = await here.bus.store(on, body, options)
  if (answer.kind !== 'stored') throw new Error(answer.message)
  return answer.seq
}

/** A batch of the campaign, and the first order of it as a router once took it. */
async function batchOf({ record }: Running, addresses: readonly string[]): Promise<{ order: Order; seq: number; batch: number }> {
  const names = { tenant: 'acme', campaign: record.id }
  const recipients = addresses.map((address) => ({ address, name: null, ref: null, vars: null }))
  const batch: Batch = { v: 1, ...names, kind: 'notice', site: 'google', provider: 'google', shard: 'google', content: 'c', first: 0, recipients }
  const batchSeq = await stored(subject('batch', { ...names, site: 'google' }), encode(batch))
  const where = { kind: 'notice', lane: 'bulk', site: 'google', provider: 'google', pool: 'p' } as const
  const order: Order = {
    v: 1,
    ...names,
    ...where,
    batch: batchSeq,
    mask: fullMask(addresses.length),
    count: addresses.length,
    attempt: 0,
    deadline: record.deadline,
  }
  return { order, seq: await stored(subject('order', { shard: 'elsewhere', lane: 'bulk' }), encode(order)), batch: batchSeq }
}
const people = (size: number) => Array.from({ length: size }, (_, at) => `r${at}@gmail.com`)

async function claimed({ order, seq, batch }: { order: Order; seq: number; batch: number }, sender: string): Promise<number> {
  const on = subject('claim', { tenant: 'acme', campaign: order.campaign, batch })
  return stored(on, encode({ attempt: order.attempt, order: order.id ?? seq, sender, mask: order.mask } satisfies Claim), { rollup: true })
}
async function told({ order, batch }: { order: Order; batch: number }, ns: readonly number[]): Promise<void> {
  const outcomes = ns.map((n) => deliveredTo(n, `r${n}@gmail.com`))
  const names = { tenant: 'acme', campaign: order.campaign, batch }
  await stored(subject('outcome', names), encodeJson({ v: 1, ...names, attempt: order.attempt, at: '', outcomes } satisfies OutcomeChunk))
  for (const outcome of outcomes) campaigns.get('acme', order.campaign)?.tally.count(batch, outcome, null)
}
const arrives = (order: Order) => stored(subject('due', { lane: 'bulk' }), encode(order))

async function outcomes({ record }: Running): Promise<Outcome[]> {
  const messages = await gather(here.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign: record.id })))
  return messages.flatMap(({ body }) => (JSON.parse(text(body)) as OutcomeChunk).outcomes)
}
async function ordersOf({ record }: Running, on: string): Promise<Order[]> {
  return (await gather(here.bus.scan(STREAM.mail, on))).map(({ body }) => decode<Order>(body)).filter((order) => order.campaign === record.id)
}
const sent = (running: Running) => ordersOf(running, wildcard('order', { shard: 'google' }))
const resting = (running: Running) => ordersOf(running, wildcard('laterRetry', { tenant: 'acme', campaign: running.record.id }))
const gone = async (seq: number) => (await here.bus.readSeq(STREAM.mail, seq)) === null

describe('an order that is due', () => {
  it('ends when its campaign is cancelled, though a sender that died had claimed it; whom it may have sent to is flagged', async () => {
    const running = await campaign({ state: 'cancelling' })
    const placed = await batchOf(running, people(3))
    await claimed(placed, 'dead')
    await told(placed, [0])
    await started()
    await arrives(carried(placed))
    await until('the others are cancelled', async () => (await outcomes(running)).length === 3)
    expect((await outcomes(running)).slice(1).map(({ n, outcome, mayBeDuplicate }) => ({ n, outcome, mayBeDuplicate }))).toEqual([
      { n: 1, outcome: 'cancelled', mayBeDuplicate: true },
      { n: 2, outcome: 'cancelled', mayBeDuplicate: true },
    ])
    await until('the batch is gone', () => gone(placed.batch))
  })

  it('is left alone while its holder lives, and not forgotten', async () => {
    const running = await campaign({ state: 'cancelling' })
    const placed = await batchOf(running, people(2))
    await claimed(placed, 'living')
    await started(['living'])
    const seq = await arrives(carried(placed))
    const next = await campaign({ state: 'cancelling' })
    await arrives(carried(await batchOf(next, people(1))))
    await until('the one behind it is through', async () => (await outcomes(next)).length === 1)
    expect(await outcomes(running)).toEqual([])
    expect(await gone(seq)).toBe(false)
  })

  it('goes back under its own attempt when its sender died in the middle, so that who takes it over knows', async () => {
    const running = await campaign()
    const placed = await batchOf(running, people(3))
    await claimed(placed, 'dead')
    await told(placed, [0])
    await started()
    await arrives(carried(placed))
    await until('it is with the router', async () => (await sent(running)).length === 1)
    expect((await sent(running))[0]).toMatchObject({ attempt: 0, id: placed.seq, mask: Buffer.from(maskOf([1, 2], 3)), count: 2 })
  })

  it('goes on under a new attempt when the scheduler itself has decided about some of its recipients', async () => {
    const running = await campaign()
    await suppression.add('acme', [{ address: 'r1@gmail.com', reason: 'by-hand' }])
    const placed = await batchOf(running, people(3))
    await started()
    await arrives(placed.order)
    await until('it is with the router', async () => (await sent(running)).length === 1)
    const [order] = await sent(running)
    expect(order).toMatchObject({ attempt: 1, mask: Buffer.from(maskOf([0, 2], 3)), count: 2 })
    expect(order?.id).toBeUndefined()
    expect((await outcomes(running)).map(({ n, outcome }) => ({ n, outcome }))).toEqual([{ n: 1, outcome: 'suppressed' }])
    await suppression.remove('acme', ['r1@gmail.com'])
  })

  it('is asked by the batch it brings along, which has no message of its own, and takes it further', async () => {
    const running = await campaign()
    await suppression.add('acme', [{ address: 'r1@gmail.com', reason: 'by-hand' }])
    const { order, batch } = await batchOf(running, people(3))
    const inline = (await here.bus.readSeq(STREAM.mail, batch))?.body as Uint8Array
    await here.bus.remove(STREAM.mail, batch)
    await started()
    const seq = await arrives({ ...order, batch: 0, inline })
    await until('it is with the router', async () => (await sent(running)).length === 1)
    expect((await sent(running))[0]).toMatchObject({ attempt: 1, batch: seq, inline: Buffer.from(inline), mask: Buffer.from(maskOf([0, 2], 3)), count: 2 })
    expect((await outcomes(running)).map(({ n, outcome }) => ({ n, outcome }))).toEqual([{ n: 1, outcome: 'suppressed' }])
    await until('it is acked', () => gone(seq))
    await suppression.remove('acme', ['r1@gmail.com'])

    const cancelled = await campaign({ state: 'cancelling' })
    const whole = await batchOf(cancelled, people(2))
    await arrives({ ...whole.order, batch: 0, inline: (await here.bus.readSeq(STREAM.mail, whole.batch))?.body as Uint8Array })
    await until('it is told', async () => (await outcomes(cancelled)).length === 2)
  })

  it('is over when another order of its attempt, or a later attempt, was claimed', async () => {
    const running = await campaign()
    const placed = await batchOf(running, people(1))
    await claimed({ ...placed, seq: placed.seq + 500 }, 'dead')
    await started()
    const twin = await arrives(carried(placed))
    await until('the twin is gone', () => gone(twin))
    await claimed({ ...placed, order: { ...placed.order, attempt: 3 } }, 'dead')
    const late = await arrives({ ...carried(placed), attempt: 2 })
    await until('the late one is gone', () => gone(late))
    expect([...(await sent(running)), ...(await resting(running))]).toEqual([])
  })

  it('expires in a paused campaign whose time is over, instead of coming due again and again', async () => {
    const running = await campaign({ state: 'paused', before: 'running', deadline: Date.now() - 1_000 })
    const placed = await batchOf(running, people(2))
    await started()
    await arrives({ ...carried(placed), parked: true })
    await until('it is told', async () => (await outcomes(running)).length === 2)
    expect((await outcomes(running)).map(({ outcome }) => outcome)).toEqual(['expired', 'expired'])
    expect(await resting(running)).toEqual([])
  })

  it('goes to the backup MX of another site until somebody was asked there, however often its lease ended or its time had not come', async () => {
    await started([], here.bus, [...ONE, { preference: 20, host: 'mx-aol.mail.gm0.yahoodns.net' }])
    const wayOf = async (change: Partial<Order>) => {
      const running = await campaign()
      const placed = await batchOf(running, people(1))
      await arrives({ ...carried(placed), ...change })
      const everywhere = () => ordersOf(running, wildcard('order', {}))
      await until('it is with a router', async () => (await everywhere()).length === 2)
      const [, { site, because, after }] = (await everywhere()) as [Order, Order]
      return { site, because, after }
    }
    const backup = { site: 'yahoo', because: undefined, after: 'google' }
    expect(await wayOf({ because: 'unreachable' })).toEqual(backup)
    const there = { site: 'yahoo', provider: 'yahoo', after: 'google' }
    expect(await wayOf(there)).toEqual(backup)
    expect(await wayOf({ ...there, because: 'lease-end' })).toEqual(backup)
    expect(await wayOf({ ...there, because: 'site-busy' })).toEqual({ site: 'google', because: undefined, after: undefined })
    expect(await wayOf({ ...there, because: 'unreachable' })).toEqual({ site: 'google', because: undefined, after: 'yahoo' })
  })

  it('waits for its campaign to begin', async () => {
    const startAt = Date.now() + HOUR_MS / 2
    const running = await campaign({ state: 'scheduled', startAt })
    const placed = await batchOf(running, people(1))
    await started()
    await arrives(placed.order)
    await until('it rests', async () => (await resting(running)).length === 1)
    expect(await sent(running)).toEqual([])
  })

  it('is not parked for good when its campaign is resumed at that very moment', async () => {
    const running = await campaign({ state: 'paused', before: 'running' })
    const placed = await batchOf(running, people(1))
    const bus: Bus = withFaults(here.bus, {
      store: (async (on, body, options) => {
        const answer = await here.bus.store(on, body, options)
        if (on.startsWith('later.')) running.record = { ...running.record, state: 'running' }
        return answer
      }) satisfies Bus['store'],
    })
    await started([], bus)
    const seq = await arrives(placed.order)
    await until('it goes on', async () => (await sent(running)).length === 1)
    await until('it is acked', () => gone(seq))
    expect(await resting(running)).toMatchObject([{ parked: true, attempt: 0 }]) // its copy, which its claim will know again
  })
})
