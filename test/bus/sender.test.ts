/** A real sender process under a router of the test's own: leases, claims, outcomes, and what happens when either is gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BUCKETS, KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import { fullMask } from '../../protocol/mask.ts'
import type { CampaignContent } from '../../protocol/messages/campaign.ts'
import type { Batch, HeldOrder, Order } from '../../protocol/messages/mail.ts'
import type { Grant, GrantAnswer, Holdings, Lease, Report, ReportAnswer, SenderHere, SourceChanged } from '../../protocol/messages/permission.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { purgeNode } from '../../services/runtime/liveness.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { bytes, gather, natsForFile, text, until } from '../kit/bus.ts'

const SHARD = 'google'
const IP = '127.0.1.21'
const SECRET = '0123456789abcdef0123'
const here = natsForFile()
let world: World
let epoch = 0
const running = new Set<ChildProcess>()
const seen = new Map<string, { here: SenderHere; reports: Report[] }>()
/** leases that the test's router renews at each report */
const renewed = new Set<string>()
let revision = 0

beforeAll(async () => {
  world = await startWorld({ behaviours: 'none', base: '127.0.2' })
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureBuckets(BUCKETS)
  await here.bus.ensureObjectBucket(OBJECT_BUCKET)
  await applyFleet()
  epoch = await openBucket(here.bus, 'owners').put(KEYS.owner('domain-router', SHARD), encode({ owner: 'router-1' }))
  const content: CampaignContent = {
    v: 1,
    tenant: 'acme',
    campaign: 'any',
    kind: 'notice',
    content: { from: { name: 'Acme', address: 'news@acme.example' }, subject: 'Hello', text: 'Hello' } as CampaignContent['content'],
    missing: 'skip',
    test: false,
    date: Date.now(),
  }
  await openObjects(here.bus, OBJECT_BUCKET).put('content/acme/any/1', [encodeJson(content)])
  here.bus.hear(subject('senderHere', {}), ({ body }) => {
    const said = decode<SenderHere>(body)
    const known = seen.get(said.sender)
    if (known) known.here = said
    else seen.set(said.sender, { here: said, reports: [] })
  })
  here.bus.serve(subject('report', { shard: SHARD }), ({ body, reply }) => {
    const report = decode<Report>(body)
    seen.get(report.sender)?.reports.push(report)
    const renew = report.leases.flatMap(({ lease, closed }) =>
      renewed.has(lease) && !closed ? [{ lease, sessions: 4, pacePerS: paces.get(lease) ?? 1_000, budget: null, ms: 4_000 }] : [],
    )
    reply(encode({ epoch, tick: report.tick, renew, end: [] } satisfies ReportAnswer))
  })
}, 30_000)
const paces = new Map<string, number>()

afterEach(() => renewed.clear())
afterAll(async () => {
  await Promise.all([...running].map((child) => killed(child)))
  await world?.[Symbol.asyncDispose]()
})

async function applyFleet(): Promise<void> {
  const fleet = Fleet.parse({
    network: { dns: [world.dns], smtp_port: world.smtpPort, only_private_mx: true },
    tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
    pool: [{ name: 'shared' }],
    ip: [{ address: IP, pool: 'shared', ehlo: 'mx1.hato.example' }],
    retry: { first: '1s' },
  })
  const record: FleetRecord = { revision: ++revision, appliedAt: '', secret: SECRET, fleet }
  await openBucket(here.bus, 'fleet').put(KEYS.fleet, bytes(JSON.stringify(record)))
}

let count = 0

interface Started {
  readonly id: string
  readonly child: ChildProcess
}
let shared: Promise<Started> | null = null
/** One for all tests that leave it as it was. */
function aSender(): Promise<Started> {
  shared ??= startSender()
  return shared
}

/** A sender that has said that it is there. */
async function startSender(): Promise<Started> {
  const id = `sender-${++count}`
  const child = spawn(process.execPath, ['services/sender/main.ts'], {
    env: { ...process.env, HATO_NATS_URL: here.nats.url, HATO_NODE_ID: id, HATO_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  await until(`${id} is here`, () => seen.get(id)?.here.ips.includes(IP) === true, 25_000)
  return { id, child }
}

async function killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
  return child.exitCode
}

interface Placed {
  readonly campaign: string
  readonly addresses: readonly string[]
  readonly batch: number
  readonly held: HeldOrder
}

/** A campaign of one batch, its order taken from the stream as a router takes it: not acked, coming again after `ackWaitMs`. */
async function placed(
  addresses: readonly string[],
  change: Partial<Order> = {},
  contentName = 'content/acme/any/1',
): Promise<Placed & { again(): Promise<HeldOrder> }> {
  const campaign = `c${++count}`
  const first: Batch = {
    v: 1,
    tenant: 'acme',
    campaign,
    kind: 'notice',
    site: SHARD,
    provider: SHARD,
    shard: SHARD,
    content: contentName,
    first: 0,
    recipients: addresses.map((address) => ({ address, name: null, ref: address, vars: null })),
  }
  const batch = await stored(subject('batch', { tenant: 'acme', campaign, site: SHARD }), encode(first))
  const order: Order = {
    v: 1,
    tenant: 'acme',
    campaign,
    kind: 'notice',
    lane: 'bulk',
    site: SHARD,
    provider: SHARD,
    pool: 'shared',
    batch,
    mask: fullMask(addresses.length),
    count: addresses.length,
    attempt: 0,
    deadline: Date.now() + 3_600_000,
    ...change,
  }
  const shard = `s${count}`
  const seq = await stored(subject('order', { shard, lane: 'bulk' }), encode(order))
  const came: HeldOrder[] = []
  const puller = await here.bus.pull(
    { stream: STREAM.mail, durable: `test-${shard}`, filter: subject('order', { shard, lane: 'bulk' }), ackWaitMs: 4_000, maxAckPending: 10 },
    (delivery) => void came.push({ order, seq, ackSubject: delivery.ackSubject }),
  )
  opened.push(puller)
  const again = async () => {
    const before = came.length
    puller.want(1)
    await until(`order ${seq} comes`, () => came.length > before, 10_000)
    return came.at(-1) as HeldOrder
  }
  return { campaign, addresses, batch, held: await again(), again }
}
const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

async function stored(on: string, body: Uint8Array): Promise<number> {
  const answer = await here.bus.store(on, body)
  if (answer.kind !== 'stored') throw new Error(answer.message)
  return answer.seq
}

function lease(change: Partial<Lease> = {}): Lease {
  const id = change.id ?? `l${++count}`
  paces.set(id, change.pacePerS ?? 1_000)
  return {
    shard: SHARD,
    site: SHARD,
    provider: SHARD,
    pool: 'shared',
    ip: IP,
    bind: IP,
    ehlo: 'mx1.hato.example',
    egress: 'bind',
    sessions: 4,
    pacePerS: 1_000,
    budget: null,
    ms: 4_000,
    epoch,
    terms: {
      sessionsPerAddress: 4,
      mailsPerSession: 40,
      rcptsPerSession: 100,
      rcptsPerTransaction: 1,
      refusedPerSession: 50,
      connectsPerMinute: 600,
      maxSizeBytes: null,
      tls: 'off',
      ahead: 'never',
      idleMs: 2_000,
      protocol: 'smtp',
      unknown: 'plain',
    },
    ...change,
    id,
  }
}

async function grant(sender: string, given: Lease, orders: readonly HeldOrder[], tick = seen.get(sender)?.here.tick ?? 0): Promise<GrantAnswer> {
  const answer = await here.bus.ask(subject('grant', { sender }), encode({ lease: given, tick, orders } satisfies Grant), { timeoutMs: 2_000 })
  if (answer.kind !== 'answer') throw new Error(`no answer to the grant: ${answer.kind}`)
  return decode<GrantAnswer>(answer.body)
}

/** With a tick that is fresh: `senders.here` comes each half second. */
async function granted(sender: string, given: Lease, orders: readonly HeldOrder[], keep: 'renewed' | 'as-it-is' = 'renewed'): Promise<Lease> {
  if (keep === 'renewed') renewed.add(given.id)
  const before = seen.get(sender)?.here
  await until('a fresh tick', () => seen.get(sender)?.here !== before)
  expect(await grant(sender, given, orders)).toEqual({ kind: 'accepted' })
  return given
}

async function outcomes({ campaign }: Placed): Promise<Outcome[]> {
  const messages = await gather(here.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign })))
  return messages.flatMap(({ body }) => (JSON.parse(text(body)) as OutcomeChunk).outcomes)
}

/** The order was acked: the work queue has let go of it. */
const isGone = async ({ held }: Placed) => (await here.bus.readSeq(STREAM.mail, held.seq)) === null
const copies = (addresses: readonly string[]) => addresses.map((rcpt) => world.record.arrivals(rcpt).reduce((sum, { count: copies }) => sum + copies, 0))
const arrived = (addresses: readonly string[]) => copies(addresses).filter((count) => count > 0).length
const people = (name: string, size: number) => Array.from({ length: size }, (_, at) => `ok+${name}${at}@gmail.com`)
const waitingOrders = async (campaign: string) => {
  const all = [...(await gather(here.bus.scan(STREAM.mail, wildcard('due')))), ...(await gather(here.bus.scan(STREAM.mail, 'later.acme.*.*')))]
  return all.map(({ body }) => decode<Order>(body)).filter((order) => order.campaign === campaign)
}

describe('a sender', () => {
  it('sends an order to exactly its recipients, tells the outcomes, and lets go of order and batch', async () => {
    const { id } = await aSender()
    const job = await placed(people('a', 30))
    await granted(id, lease(), [job.held])
    await until('the order is acked', () => isGone(job), 10_000)
    expect(copies(job.addresses)).toEqual(job.addresses.map(() => 1))
    expect((await outcomes(job)).map(({ rcpt, outcome }) => `${rcpt} ${outcome}`).sort()).toEqual(job.addresses.map((rcpt) => `${rcpt} delivered`).sort())
    expect(await here.bus.readSeq(STREAM.mail, job.batch)).toBeNull()
  })

  it('writes one retry order for all it could not deliver', async () => {
    const { id } = await aSender()
    const job = await placed([...people('r', 5), 'defer-451-x3@gmail.com', 'unknown@gmail.com'])
    await granted(id, lease(), [job.held])
    await until('the order is acked', () => isGone(job), 10_000)
    const waiting = await waitingOrders(job.campaign)
    expect(waiting.map(({ count: recipients, attempt, batch }) => ({ recipients, attempt, batch }))).toEqual([{ recipients: 1, attempt: 1, batch: job.batch }])
    expect((await outcomes(job)).map(({ outcome }) => outcome).sort()).toEqual(
      ['bounced', 'deferred', ...job.addresses.slice(0, 5).map(() => 'delivered')].sort(),
    )
  })

  it('writes envelopes ahead where the lease says so, and each recipient gets its own outcome all the same', async () => {
    const { id } = await aSender()
    const job = await placed([...people('w', 30), 'unknown@gmail.com', ...people('x', 30), 'defer-451-x2@gmail.com', ...people('y', 30)])
    const ahead = lease({ sessions: 2 })
    await granted(id, { ...ahead, terms: { ...ahead.terms, ahead: 'always', mailsPerSession: 17 } }, [job.held])
    await until('the order is acked', () => isGone(job), 10_000)
    const good = job.addresses.filter((address) => address.startsWith('ok+'))
    expect(copies(good)).toEqual(good.map(() => 1))
    const told = await outcomes(job)
    expect(told.map(({ rcpt }) => rcpt).sort()).toEqual([...job.addresses].sort())
    expect(
      told
        .filter(({ outcome }) => outcome !== 'delivered')
        .map(({ rcpt, outcome }) => `${rcpt} ${outcome}`)
        .sort(),
    ).toEqual(['defer-451-x2@gmail.com deferred', 'unknown@gmail.com bounced'])
  })

  it('hands a batch over by its claim when it is killed: nobody is missed, and who had no outcome is flagged', async () => {
    const [first, second] = [await startSender(), await startSender()]
    const job = await placed(people('k', 60))
    await granted(first.id, lease({ pacePerS: 25 }), [job.held])
    await until('a third has arrived', () => arrived(job.addresses) >= 20, 10_000)
    await killed(first.child)
    await purgeNode(openBucket(here.bus, 'owners'), 'sender', first.id)
    const told = new Set((await outcomes(job)).map(({ rcpt }) => rcpt))
    await granted(second.id, lease(), [await job.again()])
    await until('the order is acked', () => isGone(job), 15_000)

    const all = await outcomes(job)
    expect(all.map(({ rcpt }) => rcpt).sort()).toEqual([...job.addresses].sort())
    expect(all.filter(({ rcpt }) => !told.has(rcpt)).every(({ mayBeDuplicate }) => mayBeDuplicate === true)).toBe(true)
    expect(all.filter(({ rcpt }) => told.has(rcpt)).some(({ mayBeDuplicate }) => mayBeDuplicate === true)).toBe(false)
    expect(job.addresses.filter((rcpt) => (copies([rcpt])[0] as number) > 1 && told.has(rcpt))).toEqual([])
    expect(arrived(job.addresses)).toBe(60)
  })

  it('cannot journal under a claim that was taken over while it was stopped', async () => {
    const [zombie, other] = [await startSender(), await startSender()]
    const job = await placed(people('z', 40))
    await granted(zombie.id, lease({ pacePerS: 10 }), [job.held])
    await until('some have arrived', () => arrived(job.addresses) >= 8, 10_000)
    zombie.child.kill('SIGSTOP')
    renewed.clear()
    const { incarnation } = decode<{ incarnation: string }>((await openBucket(here.bus, 'owners').get(KEYS.node('sender', zombie.id)))?.value ?? encode({}))
    await until('its node key has run out', async () => (await openBucket(here.bus, 'owners').get(KEYS.node('sender', zombie.id))) === null, 8_000)
    expect(incarnation).toBeDefined()
    await granted(other.id, lease(), [await job.again()])
    await until('the other has finished', () => isGone(job), 15_000)
    zombie.child.kill('SIGCONT')
    await until('the zombie is back', async () => (await openBucket(here.bus, 'owners').get(KEYS.node('sender', zombie.id))) !== null, 8_000)
    // It says that it has let go of everything: what it had to write it has tried to write.
    await until('the zombie holds nothing', async () => (await holdings(zombie.id)).leases.length === 0, 8_000)
    const all = await outcomes(job)
    expect(all.map(({ rcpt }) => rcpt).sort()).toEqual([...job.addresses].sort())
    expect(await waitingOrders(job.campaign)).toEqual([])
  })

  it('starts no transaction once nobody has renewed its lease for 4 s', async () => {
    const { id } = await aSender()
    const job = await placed(people('e', 100))
    await granted(id, lease({ pacePerS: 10 }), [job.held], 'as-it-is')
    const grantedAt = performance.now()
    await until('the lease has ended', async () => (await holdings(id)).leases.length === 0, 10_000)
    expect(performance.now() - grantedAt).toBeLessThan(5_500)
    const then = arrived(job.addresses)
    expect(then).toBeLessThanOrEqual(42)
    await until('the rest is back', async () => (await waitingOrders(job.campaign)).length === 1)
    expect(arrived(job.addresses)).toBe(then)
    const [rest] = await waitingOrders(job.campaign)
    expect(rest).toMatchObject({ attempt: 1, count: 100 - then })
    expect(await isGone(job)).toBe(true)
  })

  it("starts no more transactions than today's ramp has left, though several sessions ask at once", async () => {
    const { id } = await aSender()
    const job = await placed(people('ramp', 30))
    await granted(id, lease({ budget: 3 }), [job.held], 'as-it-is')
    await until('the rest is back', async () => (await waitingOrders(job.campaign)).length === 1, 8_000)
    expect(arrived(job.addresses)).toBe(3)
    expect((await waitingOrders(job.campaign))[0]).toMatchObject({ count: 27 })
  })

  it('starts no transaction from a source a second after the ip-manager held it back', async () => {
    const { id } = await aSender()
    const job = await placed(people('h', 100))
    const given = await granted(id, lease({ pacePerS: 20 }), [job.held])
    await until('it sends', () => arrived(job.addresses) > 3)
    here.bus.say(subject('sourceChanged', {}), encode({ epoch: 1, ip: IP, site: null, lends: false, because: 'by hand', until: null } satisfies SourceChanged))
    await until('the rest is back', async () => (await waitingOrders(job.campaign)).length === 1, 1_000)
    const then = arrived(job.addresses)
    expect((await waitingOrders(job.campaign))[0]).toMatchObject({ count: 100 - then, attempt: 1 })
    const other = await placed(people('other', 1))
    expect(await refusal(id, lease(), [other.held])).toBe('source-held')
    here.bus.say(subject('sourceChanged', {}), encode({ epoch: 1, ip: IP, site: null, lends: true, because: 'by hand', until: null } satisfies SourceChanged))
    await granted(id, lease(), [other.held])
    await until('it sends again', () => isGone(other))
    expect(arrived(job.addresses)).toBe(then)
    expect(given.ip).toBe(IP)
  })

  it('refuses an older epoch and a tick that was long on the way', async () => {
    const { id } = await aSender()
    const job = await placed(people('s', 1))
    expect(await refusal(id, lease({ epoch: epoch - 1 }), [job.held])).toBe('stale-epoch')
    const old = seen.get(id)?.here.tick ?? 0
    await until('a second later', () => (seen.get(id)?.here.tick ?? 0) - old > 1_500)
    expect(await grant(id, lease(), [job.held], old)).toEqual({ kind: 'refused', because: 'stale-tick' })
    expect(arrived(job.addresses)).toBe(0)
  })

  it('brings back the mail of a campaign that is paused, also when it starts while one is', async () => {
    const job = await placed(people('p', 60))
    const key = KEYS.held('acme', job.campaign)
    const other = await placed(people('q', 1))
    await openBucket(here.bus, 'campaigns').put(KEYS.held('acme', other.campaign), encode({ state: 'paused' }))
    const { id } = await startSender()
    await granted(id, lease({ pacePerS: 20 }), [job.held, other.held])
    await until('it sends', () => arrived(job.addresses) > 3)
    await openBucket(here.bus, 'campaigns').put(key, encode({ state: 'paused' }))
    await until('the rest is back', async () => (await waitingOrders(job.campaign)).length === 1, 2_000)
    expect((await waitingOrders(job.campaign))[0]).toMatchObject({ count: 60 - arrived(job.addresses), attempt: 1 })
    // What nobody had begun comes back as it is.
    await until('the other order is back', () => isGone(other))
    expect((await waitingOrders(other.campaign))[0]).toMatchObject({ count: 1, attempt: 0, id: other.held.seq, batch: other.batch })
    expect(arrived(other.addresses)).toBe(0)
  })
})

describe('a sender in trouble', () => {
  it('outlives content that somebody took away: its mails bounce, the others go on', async () => {
    const { id, child } = await aSender()
    const [gone, job] = [await placed(people('gone', 3), {}, 'content/acme/gone/1'), await placed(people('stays', 3))]
    await granted(id, lease(), [gone.held, job.held])
    await until('both orders are acked', async () => (await isGone(gone)) && (await isGone(job)), 10_000)
    expect(new Set((await outcomes(gone)).map((outcome) => `${outcome.outcome} ${outcome.class} ${outcome.blames}`))).toEqual(
      new Set(['bounced content content']),
    )
    expect(copies(job.addresses)).toEqual([1, 1, 1])
    expect(child.exitCode).toBeNull()
  })

  it('answers while every address of its site has the sessions that it bears', async () => {
    const { id } = await aSender()
    const job = await placed(['drop-at-rcpt@gmail.com', ...people('few', 40)])
    const { terms } = lease()
    await granted(id, lease({ terms: { ...terms, sessionsPerAddress: 1, mailsPerSession: 3 } }), [job.held])
    let worstMs = 0
    await until(
      'the order is acked',
      async () => {
        const asked = performance.now()
        await holdings(id)
        worstMs = Math.max(worstMs, performance.now() - asked)
        return isGone(job)
      },
      20_000,
    )
    expect(worstMs).toBeLessThan(1_000)
    expect(copies(job.addresses.slice(1))).toEqual(job.addresses.slice(1).map(() => 1))
  })

  it('opens another session for a mail that comes while the first one waits for a slow peer', async () => {
    const { id } = await aSender()
    const [slow, quick] = [await placed(['slow-8s@gmail.com']), await placed(people('quick', 1))]
    const given = await granted(id, lease(), [slow.held])
    await until('the slow one is under way', async () => (await holdings(id)).leases.some(({ open }) => open === 1))
    await granted(id, given, [quick.held])
    await until('the quick one is through', () => isGone(quick), 4_000)
    expect(await isGone(slow)).toBe(false)
  })

  it('lives through 12 s without NATS in the middle of its work: nothing is missed, and what it knew is told once', async () => {
    const { id, child } = await aSender()
    const [job, queued] = [await placed(people('out', 60)), await placed(people('queued', 5))]
    const claimed = async () => (await outcomes(job)).length > 0
    await granted(id, lease({ pacePerS: 20, sessions: 2 }), [job.held, queued.held])
    await until('it sends and tells', async () => arrived(job.addresses) > 10 && (await claimed()))
    await here.nats.kill()
    renewed.clear()
    await new Promise((resolve) => setTimeout(resolve, 12_000)) // an outage has no event: longer than every wait inside
    const then = arrived(job.addresses)
    await here.nats.start()
    await until('the rest is back', async () => (await waitingOrders(job.campaign)).length === 1, 15_000)
    expect(child.exitCode).toBeNull()
    const told = (await outcomes(job)).map(({ rcpt }) => rcpt)
    expect(new Set(told).size).toBe(told.length)
    expect(told.length).toBe(then)
    expect((await waitingOrders(job.campaign))[0]).toMatchObject({ attempt: 1, count: 60 - then })
    expect(copies(job.addresses).every((count) => count <= 1)).toBe(true)
    expect(arrived(queued.addresses)).toBe(0)
    const again = await placed(people('after', 3))
    await granted(id, lease(), [again.held])
    await until('it works again', () => isGone(again), 10_000)
  })

  it('ends cleanly at SIGTERM: what it had not begun is back, and its exit code is 0', async () => {
    const { id, child } = await startSender()
    const jobs = [await placed(people('t1-', 50)), await placed(people('t2-', 50))]
    await granted(
      id,
      lease({ pacePerS: 20 }),
      jobs.map(({ held }) => held),
    )
    await until('it sends', () => arrived(jobs.flatMap(({ addresses }) => addresses)) > 3)
    expect(await killed(child, 'SIGTERM')).toBe(0)
    for (const job of jobs) {
      expect(await isGone(job)).toBe(true)
      const waiting = (await waitingOrders(job.campaign)).reduce((sum, order) => sum + order.count, 0)
      expect(waiting + arrived(job.addresses)).toBe(50)
    }
  })
})

async function refusal(sender: string, given: Lease, orders: readonly HeldOrder[]): Promise<string> {
  const before = seen.get(sender)?.here
  await until('a fresh tick', () => seen.get(sender)?.here !== before)
  const answer = await grant(sender, given, orders)
  return answer.kind === 'refused' ? answer.because : answer.kind
}

async function holdings(sender: string): Promise<Holdings> {
  const answer = await here.bus.ask(subject('holdings', { sender }), encode({ shard: SHARD, epoch, router: 'router-1' }), { timeoutMs: 2_000 })
  if (answer.kind !== 'answer') throw new Error(`no answer about holdings: ${answer.kind}`)
  return decode<Holdings>(answer.body)
}
