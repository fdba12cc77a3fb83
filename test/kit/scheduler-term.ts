/** A scheduler's term in the test's own process, so that it can be cut between any two of its steps. */
import { afterEach, beforeAll } from 'vitest'
import { BUCKETS, KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignRecord, CampaignStatus } from '../../protocol/messages/campaign.ts'
import { batchSeqOf, type Order } from '../../protocol/messages/mail.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import type { Resolver } from '../../services/runtime/dns/resolver.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import type { SchedulerContext } from '../../services/scheduler/config.ts'
import { Sites } from '../../services/scheduler/sites.ts'
import { startTerm } from '../../services/scheduler/term.ts'
import { bytes, gather, type natsForFile, text, until } from './bus.ts'
import { deliveredTo } from './outcomes.ts'

const fleet: FleetRecord = {
  revision: 1,
  appliedAt: '',
  secret: '0123456789abcdef0123',
  fleet: Fleet.parse({
    network: { dns: ['127.0.0.1:1'] },
    preflight: { off: true },
    warmup: { from_start: 1_000_000 },
    tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
    pool: [{ name: 'shared' }],
    ip: [{ address: '127.0.1.1', pool: 'shared', ehlo: 'mx1.acme.example' }],
  }),
}
/** For a test file: its term ends after each test; what a test does with the term and its campaigns is returned. */
export function termForFile(here: ReturnType<typeof natsForFile>) {
  let term: AsyncDisposable | null = null

  beforeAll(async () => {
    await here.bus.ensureStreams(STREAMS)
    await here.bus.ensureBuckets(BUCKETS)
    await here.bus.ensureObjectBucket(OBJECT_BUCKET)
  })
  afterEach(() => ended())

  async function began(bus: Bus = here.bus): Promise<void> {
    const resolver = { mailHosts: async () => ({ kind: 'hosts', hosts: [{ preference: 5, host: 'gmail-smtp-in.l.google.com' }] }) } as unknown as Resolver
    const config = { saveEveryMs: 100, expansionsAtOnce: 4, keysEveryMs: 3_600_000, keysAgainMs: 300_000 } as SchedulerContext['config']
    const context = { bus, log: here.log, clock: systemClock, config, nodeId: 'test' } as unknown as SchedulerContext
    const watch = { current: () => fleet, ready: Promise.resolve(fleet), [Symbol.dispose]() {} }
    term = await startTerm(context, { fleet: watch, sites: new Sites(() => resolver), onFeedback() {} })
  }
  async function ended(): Promise<void> {
    await term?.[Symbol.asyncDispose]()
    term = null
  }

  let count = 0
  const notice = (recipients: number, more: object = {}) => ({
    id: `n${++count}`,
    kind: 'notice',
    from: { address: 'news@acme.example' },
    subject: 'Hello',
    text: 'Hello',
    recipients: Array.from({ length: recipients }, (_, at) => ({ address: `r${at}@gmail.com` })),
    ...more,
  })
  async function publish(job: object): Promise<void> {
    const stored = await here.bus.store(subject('campaignJob', { tenant: 'acme' }), bytes(JSON.stringify(job)))
    if (stored.kind !== 'stored') throw new Error(stored.message)
  }
  async function ask<T>(row: 'campaignStatus' | 'campaignControl', id: string, body: object = {}): Promise<T> {
    const answer = await here.bus.ask(subject(row, { tenant: 'acme', id }), bytes(JSON.stringify(body)), { timeoutMs: 5_000 })
    if (answer.kind !== 'answer') throw new Error(answer.kind)
    return JSON.parse(text(answer.body)) as T
  }
  const status = (id: string) => ask<CampaignStatus>('campaignStatus', id)
  const isIn = (id: string, ...states: string[]) => until(`${id} is ${states}`, async () => states.includes((await status(id)).state), 15_000)
  const sent = async (id: string) =>
    (await gather(here.bus.scan(STREAM.mail, wildcard('order')))).flatMap(({ body, seq }) =>
      decode<Order>(body).campaign === id ? [{ order: decode<Order>(body), seq }] : [],
    )
  const held = async (id: string) => (await openBucket(here.bus, 'campaigns').get(KEYS.held('acme', id))) !== null

  async function recordOf(id: string): Promise<{ record: CampaignRecord; revision: number }> {
    const kept = await openBucket(here.bus, 'campaigns').get(KEYS.campaign('acme', id))
    if (kept === null) throw new Error(`no record of ${id}`)
    return { record: decode<CampaignRecord>(kept.value), revision: kept.revision }
  }
  /** As a scheduler would have left it that died there. */
  async function rewritten(id: string, change: Partial<CampaignRecord>): Promise<void> {
    const { record, revision } = await recordOf(id)
    await openBucket(here.bus, 'campaigns').update(KEYS.campaign('acme', id), encode({ ...record, ...change }), revision)
  }

  async function delivered(held: { order: Order; seq: number }): Promise<void> {
    const names = { tenant: 'acme', campaign: held.order.campaign, batch: batchSeqOf(held) }
    const outcomes = Array.from({ length: held.order.count }, (_, n) => deliveredTo(n))
    await here.bus.store(subject('outcome', names), encodeJson({ v: 1, ...names, attempt: 0, at: new Date().toISOString(), outcomes } satisfies OutcomeChunk))
  }

  return { began, ended, notice, publish, ask, status, isIn, sent, held, recordOf, rewritten, delivered }
}
