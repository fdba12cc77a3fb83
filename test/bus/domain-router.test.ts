import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BUCKETS, KEYS } from '../../protocol/buckets.ts'
import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import { fullMask } from '../../protocol/mask.ts'
import type { Order } from '../../protocol/messages/mail.ts'
import type { ErrorAnswer, IspStatus } from '../../protocol/messages/ops.ts'
import type { AllowanceAsk, Allowances, Drain, Report, ReportAnswers, Reports, SourceChanged } from '../../protocol/messages/permission.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Listening } from '../../services/runtime/bus.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { gather, natsForFile, until } from '../kit/bus.ts'
import { SenderPeer } from '../kit/sender-peer.ts'

const here = natsForFile()
const IPS = ['127.0.1.1', '127.0.1.2'] as const

/** An ip-manager that lends what the test says. */
const lending = { lends: true, epoch: 1 }
function serveAllowances(bus: Bus): Listening {
  return bus.serve(subject('allowance', {}), (call) => {
    const ask = decode<AllowanceAsk>(call.body)
    const allowances = ask.sites.flatMap(({ site, pools }) =>
      pools.includes('shared')
        ? IPS.map((ip) => ({
            ip,
            site,
            pool: 'shared',
            mode: 'steady' as const,
            ipMode: 'serving' as const,
            lends: lending.lends,
            sessions: 20,
            pacePerS: 1_000,
            budget: null,
            because: lending.lends ? '' : 'reputation',
            until: lending.lends ? null : Date.now() + 3_600_000,
          }))
        : [],
    )
    call.reply(encode({ epoch: lending.epoch, tick: ask.tick, ms: 4_000, allowances } satisfies Allowances))
  })
}

function startProcess(): ChildProcess {
  return spawn(process.execPath, ['services/domain-router/main.ts'], {
    env: { ...process.env, HATO_NATS_URL: here.nats.url },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

let router: ChildProcess
const senders: SenderPeer[] = []
const drains: Drain[] = []
let parts: DisposableStack

beforeAll(async () => {
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureBuckets(BUCKETS)
  const fleet = Fleet.parse({
    pool: [{ name: 'shared' }],
    ip: IPS.map((address) => ({ address, pool: 'shared', ehlo: 'mx.hato.example' })),
    isp: [{ name: 'google', sessions_per_ip: 3 }],
  })
  const record: FleetRecord = { revision: 1, appliedAt: '', secret: '0123456789abcdef0123', fleet }
  await openBucket(here.bus, 'fleet').put(KEYS.fleet, encodeJson(record))
  parts = new DisposableStack()
  parts.use(serveAllowances(here.bus))
  parts.use(here.bus.hear(wildcard('drain'), ({ body }) => void drains.push(decode<Drain>(body))))
  router = startProcess()
}, 30_000)
afterEach(async () => {
  for (const sender of senders.splice(0)) await sender[Symbol.asyncDispose]()
})
afterAll(async () => {
  parts?.dispose()
  await killed(router)
})

function sender(id: string): SenderPeer {
  const peer = new SenderPeer(here.bus, id, IPS)
  senders.push(peer)
  return peer
}

async function order(campaign: string, more: Partial<Order> = {}): Promise<number> {
  const full: Order = {
    v: 1,
    tenant: 'acme',
    campaign,
    kind: 'notice',
    lane: 'bulk',
    site: 'google',
    provider: 'google',
    pool: 'shared',
    batch: 1,
    mask: fullMask(10),
    count: 10,
    attempt: 0,
    deadline: Date.now() + 3_600_000,
    ...more,
  }
  const stored = await here.bus.store(subject('order', { shard: more.provider === null ? 't00' : 'google', lane: full.lane }), encode(full))
  if (stored.kind !== 'stored') throw new Error(stored.message)
  return stored.seq
}

async function ask<T>(name: 'ispStatusOf' | 'ispControl', site: string, body: object = {}): Promise<T> {
  const answer = await here.bus.ask(subject(name, { site }), encodeJson(body), { timeoutMs: 3_000 })
  if (answer.kind !== 'answer') throw new Error(`${name} ${site}: ${answer.kind}`)
  return JSON.parse(new TextDecoder().decode(answer.body)) as T
}

async function google(): Promise<IspStatus['sites'][number]> {
  const { sites } = await ask<IspStatus>('ispStatusOf', 'google')
  return sites[0] as IspStatus['sites'][number]
}

async function everySite(): Promise<IspStatus['sites']> {
  const answer = await here.bus.ask(subject('ispStatus', {}), encodeJson({}), { timeoutMs: 3_000 })
  if (answer.kind !== 'answer') throw new Error(`isp.status: ${answer.kind}`)
  return (JSON.parse(new TextDecoder().decode(answer.body)) as IspStatus).sites
}

/** An ip-manager's word on both addresses, as it lends now. */
function tellSources(because: string, until: number | null): void {
  for (const ip of IPS) {
    const changed: SourceChanged = { epoch: 1, ip, site: null, lends: lending.lends, because, until }
    here.bus.say(subject('sourceChanged', {}), encode(changed))
  }
}

const waiting = async (filter: string) => (await gather(here.bus.scan(STREAM.mail, filter))).length

describe('a router', () => {
  it('hands orders to a sender under a lease within the limits, urgent first, and tells what it drains', async () => {
    const seqs: number[] = []
    for (let n = 0; n < 30; n++) seqs.push(await order('c1'))
    const urgent = await order('u1', { lane: 'urgent' })
    const peer = sender('s1')
    await until('every order is done', () => peer.done.length === 31, 40_000)
    expect(new Set(peer.done.map(({ seq }) => seq))).toEqual(new Set([...seqs, urgent]))
    expect(peer.grants.findIndex(({ orders }) => orders.some(({ seq }) => seq === urgent))).toBe(0)
    for (const { lease } of peer.grants) {
      expect(lease).toMatchObject({
        shard: 'google',
        site: 'google',
        pool: 'shared',
        ehlo: 'mx.hato.example',
        ms: 4_000,
        terms: { mailsPerSession: 50, tls: 'required' },
      })
      expect(lease.sessions).toBeLessThanOrEqual(3)
    }
    expect(await waiting(wildcard('order', { shard: 'google' }))).toBe(0)
    const told = drains.flatMap(({ sites }) => sites.filter(({ site }) => site === 'google'))
    expect(told.some(({ bulk }) => bulk > 0)).toBe(true)
    await until('the last drain says zero', () => drains.at(-1)?.sites.every(({ bulk, urgent }) => bulk + urgent === 0) ?? false, 10_000)
  }, 60_000)

  it('answers what one message reports to several of its shards, and says of which it is no owner', async () => {
    const row = await openBucket(here.bus, 'owners').get(KEYS.owner('domain-router', 'google'))
    const { owner } = decode<{ owner: string }>((row as NonNullable<typeof row>).value)
    const report: Report = { sender: 's9', tick: 7, sessionsFree: 1, leases: [] }
    const reports: Reports = { reports: ['google', 'nobodys', 't00'].map((shard) => ({ shard, report })) }
    const answer = await here.bus.ask(subject('reports', { router: owner }), encode(reports), { timeoutMs: 3_000 })
    const { answers } = answer.kind === 'answer' ? decode<ReportAnswers>(answer.body) : { answers: [] }
    expect(answers.map((one) => one && [one.tick, one.epoch > 0])).toEqual([[7, true], null, [7, true]])
  })

  it('parks what may not be sent now, with its reason, and goes on when a person resumes; the order of a person outlives a kill', async () => {
    sender('s2')
    const paused = await ask<{ ok: true; id: string; until: string }>('ispControl', 'google', { action: 'pause', for: '10m', by: 'test' })
    expect(paused).toMatchObject({ ok: true, id: expect.stringMatching(/^pause-/), until: expect.stringMatching(/Z$/) })
    await order('c2')
    await until('the order rests', async () => (await waiting(wildcard('laterRest'))) === 1, 15_000)
    expect(await google()).toMatchObject({
      site: 'google',
      resting: { because: 'paused', until: paused.until },
      actions: [{ id: paused.id, action: 'pause', by: 'test' }],
    })

    await killed(router)
    router = startProcess()
    await until('the new process knows the pause', async () => (await google().catch(() => null))?.actions?.[0]?.id === paused.id, 30_000)

    const wrong = await ask<ErrorAnswer>('ispControl', 'google', { action: 'clear', id: 'nonsense' })
    expect(wrong.error).toMatchObject({ code: 'unknown-action', message: expect.stringContaining(paused.id) })
    const unknownKey = await ask<ErrorAnswer>('ispControl', 'google', { action: 'pause', hours: 3 })
    expect(unknownKey.error).toMatchObject({ code: 'bad-request' })
    expect(await ask('ispControl', 'google', { action: 'resume' })).toMatchObject({ ok: true })
    expect(await google()).toMatchObject({ resting: null, actions: [] })
    await here.bus.purge(STREAM.mail, wildcard('laterRest'))
  }, 90_000)

  it('takes over the leases of a dead one under its own epoch, and hands none of their orders out again', async () => {
    const peer = sender('s3')
    peer.working = false
    for (let n = 0; n < 6; n++) await order('c3')
    await until('the sender holds the orders', () => new Set(peer.ordersOf('c3')).size === 6, 30_000)
    const before = [...peer.leases.values()].map(({ lease }) => lease)

    await killed(router)
    router = startProcess()
    await until(
      'a grant under a new epoch',
      () => before.every(({ id, epoch }) => peer.grants.some(({ lease }) => lease.id === id && lease.epoch > epoch)),
      30_000,
    )
    for (const { lease, orders } of peer.grants.filter(({ lease }) => lease.epoch > (before[0]?.epoch ?? 0)))
      if (before.some(({ id }) => id === lease.id)) expect(orders).toEqual([])
    peer.working = true
    await until('the orders are done', () => peer.done.length >= 6, 30_000)
    expect(peer.ordersOf('c3')).toHaveLength(6)
    expect(new Set(peer.done.map(({ seq }) => seq)).size).toBe(6)
  }, 90_000)

  it('gives a source that stopped lending nothing more, and its mail waits until it lends again', async () => {
    const peer = sender('s4')
    peer.working = false
    await order('c4')
    await until('the sender holds the order', () => peer.ordersOf('c4').length === 1, 30_000)
    lending.lends = false
    tellSources('reputation', Date.now() + 3_600_000)
    await until('the lease is ended', () => peer.answers.some(({ end }) => end.length > 0), 15_000)
    const grants = peer.grants.length
    await order('c5')
    await until('the new order rests', async () => (await waiting(wildcard('laterRest'))) === 1, 30_000)
    expect(peer.grants).toHaveLength(grants)
    expect((await google()).resting).toMatchObject({ because: 'reputation' })
    lending.lends = true
    tellSources('', null)
    await order('c5-again')
    await until('a new order need not wait for the old end', () => peer.ordersOf('c5-again').length === 1, 10_000)
  }, 60_000)

  it('shares the shards with a second process, and each of the two answers for all of them', async () => {
    const peer = sender('s5')
    const second = startProcess()
    try {
      const owners = async () => new Set((await everySite()).map(({ owner }) => owner))
      // A person's order makes a site worth telling, so there is one in many shards.
      const sites = ['google', 'outlook', 'yahoo', 'docomo', 'orange', 'apple', 'mimecast', 'zoho']
      for (const site of sites) expect(await ask('ispControl', site, { action: 'limit', rate: 50, id: 'many' })).toMatchObject({ ok: true })
      await until('two owners', async () => (await owners()).size === 2, 30_000)
      // One of the two answers each question. A shard on its way from one to the other is nobody's for that moment.
      const complete = async () => {
        const told = new Set((await everySite()).map(({ site }) => site))
        return sites.every((site) => told.has(site))
      }
      await until('all sites, four times', async () => (await Promise.all([1, 2, 3, 4].map(complete))).every(Boolean), 30_000)
      for (const site of sites) expect((await ask<IspStatus>('ispStatusOf', site)).sites).toMatchObject([{ site, actions: [{ id: 'many', action: 'limit' }] }])
      for (const site of sites) expect(await ask('ispControl', site, { action: 'clear', id: 'many' })).toMatchObject({ ok: true })
      await order('c6')
      await until('mail goes on', () => peer.ordersOf('c6').length === 1, 30_000)
    } finally {
      await killed(second)
    }
  }, 90_000)
})
