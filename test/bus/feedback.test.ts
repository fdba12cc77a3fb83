/** What comes back after the 250, heard by one term of the scheduler: counted once, over redelivery and restarts, and only by who may say it. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BUCKETS, KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { encode, encodeJson } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignRecord, CampaignStatus } from '../../protocol/messages/campaign.ts'
import type { Claim, ExpansionCursor } from '../../protocol/messages/mail.ts'
import type { Feedback, SuppressionPage } from '../../protocol/messages/ops.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { encodeReturnPath } from '../../services/content/verp.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import type { Resolver } from '../../services/runtime/dns/resolver.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import type { SchedulerContext } from '../../services/scheduler/config.ts'
import { Sites } from '../../services/scheduler/sites.ts'
import { startTerm } from '../../services/scheduler/term.ts'
import { bytes, natsForFile, text, until } from '../kit/bus.ts'

const here = natsForFile()
const SECRET = '0123456789abcdef0123'
const tenants = ['acme', 'rival'].map((name) => ({ name, domains: [`${name}.example`], return_path: `bounce.${name}.example` }))
const fleet: FleetRecord = {
  revision: 1,
  appliedAt: '',
  secret: SECRET,
  fleet: Fleet.parse({
    network: { dns: ['127.0.0.1:1'] },
    tenant: tenants,
    suppression: { settle: '100ms' },
    preflight: { off: true },
    warmup: { from_start: 1_000_000 },
    pool: [{ name: 'shared' }],
    ip: [{ address: '127.0.1.1', pool: 'shared', ehlo: 'mx1.acme.example' }],
  }),
}
let term: AsyncDisposable | null = null
let heard: string[] = []

beforeAll(async () => {
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureBuckets(BUCKETS)
  await here.bus.ensureObjectBucket(OBJECT_BUCKET)
})
beforeEach(async () => {
  for (const stream of [STREAM.feedback, STREAM.outcomes]) await here.bus.purge(stream, '>')
  await here.bus.purge(STREAM.suppression, '>')
  heard = []
})
afterEach(() => ended())

async function began(): Promise<void> {
  const resolver = { mailHosts: async () => ({ kind: 'hosts', hosts: [{ preference: 5, host: 'gmail-smtp-in.l.google.com' }] }) } as unknown as Resolver
  const config = { saveEveryMs: 50, expansionsAtOnce: 4, keysEveryMs: 3_600_000, keysAgainMs: 300_000 } as SchedulerContext['config']
  const context = { bus: here.bus, log: here.log, clock: systemClock, config, nodeId: 'test' } as unknown as SchedulerContext
  const watch = { current: () => fleet, ready: Promise.resolve(fleet), [Symbol.dispose]() {} }
  term = await startTerm(context, { fleet: watch, sites: new Sites(() => resolver), onFeedback: (kind, what) => void heard.push(`${kind} ${what}`) })
}
async function ended(): Promise<void> {
  await term?.[Symbol.asyncDispose]()
  term = null
}

let count = 0
/** A campaign that has delivered to `r0`, `r1` … of gmail.com: its record and its journal. */
async function sent(
  changes: Partial<CampaignRecord> = {},
  recipients = 3,
): Promise<{ id: string; token: (n: number, tenant?: string) => string; batch: number }> {
  const id = `c${++count}`
  const batch = 1_000 + count
  const none = {
    delivered: changes.state === 'running' ? 0 : recipients,
    unconfirmed: 0,
    bounced: 0,
    expired: 0,
    suppressed: 0,
    cancelled: 0,
    mayBeDuplicate: 0,
  }
  const record = {
    ...{ v: 1, tenant: 'acme', id, job: 0, digest: id, state: 'finished', kind: 'marketing', lane: 'bulk', pool: 'shared', weight: 1, rate: null },
    ...{ window: null, dedupe: 'none', content: '', list: null, acceptedAt: Date.now(), startAt: Date.now(), inline: recipients, listId: 'news' },
    ...{ missing: 'fail', test: false, startedAt: Date.now(), finishedAt: Date.now(), deadline: Date.now() + 3_600_000, problems: [], before: null },
    tally: { position: 0, ...none, bouncedLater: 0, complained: 0, unsubscribed: 0 },
    expansion: { position: recipients, listRead: recipients, recipients, duplicates: 0, unusable: 0, batches: 1, done: true },
    ...changes,
  } as CampaignRecord
  await openBucket(here.bus, 'campaigns').put(KEYS.campaign('acme', id), encode(record))
  const names = { tenant: 'acme', campaign: id, batch }
  const claim: Claim = { attempt: 0, order: 1, sender: 's', mask: new Uint8Array([7]) }
  await here.bus.store(subject('claim', names), encode(claim), { rollup: true })
  const same = { outcome: 'delivered', stage: 'dot', code: 250, enhanced: null, reply: 'ok', class: 'delivered', blames: 'nobody', mx: 'mx', ms: 1 } as const
  const outcomes = Array.from({ length: recipients }, (_, n) => {
    return { n, ref: `ref-${n}`, rcpt: `${id}-r${n}@gmail.com`, ip: '127.0.1.1', site: 'google', ...same }
  })
  await here.bus.store(subject('outcome', names), encodeJson({ v: 1, ...names, attempt: 0, at: new Date().toISOString(), outcomes } satisfies OutcomeChunk))
  const token = (n: number, tenant = 'acme') => {
    const place = { tenant, campaign: id, batch, n, address: `${id}-r${n}@gmail.com` }
    return encodeReturnPath({ ...place, secret: SECRET, domain: 'bounce.acme.example' })
  }
  return { id, token, batch }
}

async function say(changes: Partial<Feedback>, tenant = 'acme'): Promise<void> {
  const feedback = { id: `f${++count}`, kind: 'complaint', at: '2026-11-24T00:00:00.000Z', source: 'test', ...changes }
  const stored = await here.bus.store(subject('feedback', { tenant }), bytes(JSON.stringify(feedback)))
  if (stored.kind !== 'stored') throw new Error(stored.message)
}
const allHeard = (times: number) => until(`${times} heard: ${heard}`, () => heard.length >= times, 10_000)

async function ask<T>(on: string, body: object = {}): Promise<T> {
  const answer = await here.bus.ask(on, bytes(JSON.stringify(body)), { timeoutMs: 5_000 })
  if (answer.kind !== 'answer') throw new Error(answer.kind)
  return JSON.parse(text(answer.body)) as T
}
const counts = async (id: string) => {
  const { bouncedLater, complained, unsubscribed, delivered } = await ask<CampaignStatus>(subject('campaignStatus', { tenant: 'acme', id }))
  return { bouncedLater, complained, unsubscribed, delivered }
}
const suppressed = async (tenant = 'acme') =>
  (await ask<SuppressionPage>(subject('suppression', { tenant }), { action: 'list' })).entries.map(({ address, reason, list }) => [
    address,
    reason,
    list ?? null,
  ])

describe('what came back', () => {
  it('stands beside the outcomes of a campaign that has ended, and suppresses', async () => {
    const { id, token } = await sent()
    await began()
    await say({ kind: 'complaint', token: token(0) })
    await say({ kind: 'unsubscribe', token: token(1).toUpperCase() })
    await say({ kind: 'bounce', class: 'unknown-user', token: token(2), rcpt: 'forwarded.to@elsewhere.example' })
    await allHeard(3)
    expect(await counts(id)).toEqual({ bouncedLater: 1, complained: 1, unsubscribed: 1, delivered: 3 })
    await until('all are on the list', async () => (await suppressed()).length === 3)
    expect(new Set(await suppressed())).toEqual(
      new Set([
        [`${id}-r0@gmail.com`, 'complaint', 'news'],
        [`${id}-r1@gmail.com`, 'unsubscribe', 'news'],
        [`${id}-r2@gmail.com`, 'unknown-user', null],
      ]),
    )
  })

  it('counts once: the same id, the same word under another id, and all of it again after a restart', async () => {
    const { id, token } = await sent()
    await began()
    await say({ id: 'twice', token: token(0) })
    await say({ id: 'twice', token: token(1) })
    await say({ id: 'other', token: token(0) })
    await allHeard(3)
    expect(heard.toSorted()).toEqual(['complaint repeated', 'complaint repeated', 'complaint taken'])
    await ended()
    await began()
    await say({ id: 'twice', token: token(0) })
    await say({ id: 'third', token: token(2) })
    await allHeard(5)
    expect(heard.slice(3).toSorted()).toEqual(['complaint repeated', 'complaint taken'])
    expect(await counts(id)).toMatchObject({ complained: 2 })
  })

  it('that was acted on when the scheduler died, before it noted where it was, counts once', async () => {
    const { id, token } = await sent()
    await began()
    await say({ token: token(0) })
    await allHeard(1)
    await ended()
    await openBucket(here.bus, 'campaigns').remove(KEYS.feedback) // as if it had died before that
    await began()
    await say({ kind: 'unsubscribe', token: token(1) })
    await allHeard(3)
    expect(await counts(id)).toMatchObject({ complained: 1, unsubscribed: 1 })
  })

  it('of a campaign at work is in its status at once and in its record after a restart', async () => {
    const { id, token } = await sent({ state: 'running', finishedAt: null, expansion: null }, 2)
    const read: ExpansionCursor = { position: 3, listRead: 3, recipients: 3, duplicates: 0, unusable: 0, batches: 2, done: true }
    await here.bus.store(subject('expansionCursor', { tenant: 'acme', campaign: id }), encode(read))
    await began()
    await say({ token: token(0) })
    await allHeard(1)
    expect(await counts(id)).toMatchObject({ complained: 1, delivered: 2 })
    await ended()
    await began()
    expect(await counts(id)).toMatchObject({ complained: 1 })
    expect(await ask<CampaignStatus>(subject('campaignStatus', { tenant: 'acme', id }))).toMatchObject({ state: 'running', waiting: 1 })
    await openBucket(here.bus, 'campaigns').remove(KEYS.campaign('acme', id))
  })

  it('with a return path that is forged, or another tenant’s, suppresses nobody', async () => {
    const { id, token } = await sent()
    await began()
    const [before, after] = token(0).split('@') as [string, string]
    await say({ token: `${before.slice(0, -1)}${before.endsWith('a') ? 'b' : 'a'}@${after}`, rcpt: `${id}-r0@gmail.com` })
    await say({ token: token(1) }, 'rival')
    await say({ kind: 'bounce', class: 'unknown-user', token: 'b-aaaaaaaaaa-1-2-aaaaaaaa-aaaaaaaaaaaaaaaa@bounce.acme.example', rcpt: 'victim@gmail.com' })
    await allHeard(3)
    expect(heard).toEqual(['complaint forged', 'complaint foreign', 'bounce forged'])
    expect([...(await suppressed()), ...(await suppressed('rival'))]).toEqual([])
    expect(await counts(id)).toMatchObject({ complained: 0, bouncedLater: 0 })
  })

  it('when the journal has aged out: the recipient whose return path it is must be named, and nobody else can be', async () => {
    const { id, token } = await sent()
    await here.bus.purge(STREAM.outcomes, wildcard('outcome'))
    await here.bus.purge(STREAM.outcomes, wildcard('claim'))
    await began()
    await say({ token: token(0), rcpt: `${id}-R0@gmail.com` })
    await say({ token: token(1), rcpt: 'victim@gmail.com' })
    await allHeard(2)
    expect(await counts(id)).toMatchObject({ complained: 2 })
    expect(await suppressed()).toEqual([[`${id}-r0@gmail.com`, 'complaint', 'news']])
  })

  it('without a return path is the tenant’s own word: an address, or a ref of a campaign', async () => {
    const { id } = await sent()
    await began()
    await say({ kind: 'unsubscribe', rcpt: 'web@example.jp', list: 'weekly' })
    await say({ kind: 'complaint', ref: 'ref-2', campaign: id })
    await say({ kind: 'complaint', ref: 'ref-9', campaign: id })
    await say({ kind: 'complaint', ref: 'ref-1', campaign: 'nothing' })
    await allHeard(4)
    expect(heard).toEqual(['unsubscribe taken', 'complaint taken', 'complaint unplaced', 'complaint unplaced'])
    expect(await suppressed()).toEqual([
      ['web@example.jp', 'unsubscribe', 'weekly'],
      [`${id}-r2@gmail.com`, 'complaint', 'news'],
    ])
    expect(await counts(id)).toMatchObject({ complained: 1, unsubscribed: 0 })
  })

  it('that nobody can read is passed over with its reason, and what follows is heard', async () => {
    const { token } = await sent()
    await began()
    await here.bus.store(subject('feedback', { tenant: 'acme' }), bytes('{"id": 1}'))
    await here.bus.store(
      subject('feedback', { tenant: 'nobody' }),
      bytes(JSON.stringify({ id: 'x', kind: 'complaint', at: '2026-11-24T00:00:00Z', source: 't' })),
    )
    await say({ token: token(0) })
    await allHeard(3)
    expect(heard).toEqual(['bounce unreadable', 'bounce unreadable', 'complaint taken'])
  })
})
