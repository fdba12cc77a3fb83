/** Real sender processes under a router of the test's own: it takes orders from the stream, grants leases, answers reports; the far end is the simulated internet. */
import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { BUCKETS, KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import { Fleet, type FleetRecord } from '../../protocol/fleet.ts'
import type { HeldOrder, Order } from '../../protocol/messages/mail.ts'
import type { Grant, GrantAnswer, Holdings, Lease, Report, ReportAnswer, SenderHere } from '../../protocol/messages/permission.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { bytes, gather, natsForFile, text, until } from './bus.ts'
import { batchOf, CONTENT, IP, leaseOf, orderOf, SHARD } from './sender-forms.ts'

export interface Started {
  readonly id: string
  readonly child: ChildProcess
}

export interface Placed {
  readonly campaign: string
  readonly addresses: readonly string[]
  readonly batch: number
  readonly held: HeldOrder
  /** the order as it comes from the stream once more */
  again(): Promise<HeldOrder>
}

export class SenderLab implements AsyncDisposable {
  /** what each sender said last of itself */
  readonly seen = new Map<string, SenderHere>()
  readonly #here: ReturnType<typeof natsForFile>
  readonly #world: World
  readonly #running = new Set<ChildProcess>()
  readonly #pullers: AsyncDisposable[] = []
  /** pace of each lease that the router renews at each report */
  readonly #renewed = new Map<string, number>()
  #epoch = 0
  #count = 0
  #shared: Promise<Started> | null = null

  private constructor(here: ReturnType<typeof natsForFile>, world: World) {
    this.#here = here
    this.#world = world
  }

  static async open(here: ReturnType<typeof natsForFile>): Promise<SenderLab> {
    const lab = new SenderLab(here, await startWorld({ behaviours: 'none', base: '127.0.2' }))
    const { bus } = here
    await bus.ensureStreams(STREAMS)
    await bus.ensureBuckets(BUCKETS)
    await bus.ensureObjectBucket(OBJECT_BUCKET)
    await lab.#applyFleet()
    lab.#epoch = await openBucket(bus, 'owners').put(KEYS.owner('domain-router', SHARD), encode({ owner: 'router-1' }))
    await openObjects(bus, OBJECT_BUCKET).put('content/acme/any/1', [encodeJson(CONTENT)])
    bus.hear(subject('senderHere', {}), ({ body }) => {
      const said = decode<SenderHere>(body)
      lab.seen.set(said.sender, said)
    })
    bus.serve(subject('report', { shard: SHARD }), ({ body, reply }) => reply(encode(lab.#answer(decode<Report>(body)))))
    return lab
  }

  get epoch(): number {
    return this.#epoch
  }

  #answer({ tick, leases }: Report): ReportAnswer {
    const renew = leases.flatMap(({ lease, closed }) => {
      const pacePerS = this.#renewed.get(lease)
      return pacePerS === undefined || closed ? [] : [{ lease, sessions: 4, pacePerS, budget: null, ms: 4_000 }]
    })
    return { epoch: this.#epoch, tick, renew, end: [] }
  }

  /** After a test: nothing is renewed, no order is pulled. */
  async rest(): Promise<void> {
    this.#renewed.clear()
    for (const one of this.#pullers.splice(0)) await one[Symbol.asyncDispose]()
  }

  /** The router falls silent. */
  renewNothing(): void {
    this.#renewed.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.killed(child)))
    await this.#world[Symbol.asyncDispose]()
  }

  async #applyFleet(): Promise<void> {
    const fleet = Fleet.parse({
      network: { dns: [this.#world.dns], smtp_port: this.#world.smtpPort, only_private_mx: true },
      tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
      pool: [{ name: 'shared' }],
      ip: [{ address: IP, pool: 'shared', ehlo: 'mx1.hato.example' }],
      retry: { first: '1s' },
    })
    const record: FleetRecord = { revision: 1, appliedAt: '', secret: '0123456789abcdef0123', fleet }
    await openBucket(this.#here.bus, 'fleet').put(KEYS.fleet, bytes(JSON.stringify(record)))
  }

  /** One for all tests that leave it as it was. */
  aSender(): Promise<Started> {
    this.#shared ??= this.startSender()
    return this.#shared
  }

  /** A sender that has said that it is there. */
  async startSender(): Promise<Started> {
    const id = `sender-${++this.#count}`
    const child = spawn(process.execPath, ['services/sender/main.ts'], {
      env: { ...process.env, HATO_NATS_URL: this.#here.nats.url, HATO_NODE_ID: id, HATO_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    await until(`${id} is here`, () => this.seen.get(id)?.ips.includes(IP) === true, 25_000)
    return { id, child }
  }

  async killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
    return child.exitCode
  }

  /** A campaign of one batch, its order taken from the stream as a router takes it: not acked, coming again after `ackWaitMs`. */
  async placed(addresses: readonly string[], change: Partial<Order> = {}, contentName = 'content/acme/any/1'): Promise<Placed> {
    const campaign = `c${++this.#count}`
    const batch = await this.#stored(subject('batch', { tenant: 'acme', campaign, site: SHARD }), encode(batchOf(campaign, addresses, contentName)))
    const order: Order = { ...orderOf(campaign, batch, addresses.length), ...change }
    const shard = `s${this.#count}`
    const seq = await this.#stored(subject('order', { shard, lane: 'bulk' }), encode(order))
    const came: HeldOrder[] = []
    const puller = await this.#here.bus.pull(
      { stream: STREAM.mail, durable: `test-${shard}`, filter: subject('order', { shard, lane: 'bulk' }), ackWaitMs: 4_000, maxAckPending: 10 },
      (delivery) => void came.push({ order, seq, ackSubject: delivery.ackSubject }),
    )
    this.#pullers.push(puller)
    const again = async () => {
      const before = came.length
      puller.want(1)
      await until(`order ${seq} comes`, () => came.length > before, 10_000)
      return came.at(-1) as HeldOrder
    }
    return { campaign, addresses, batch, held: await again(), again }
  }

  async #stored(on: string, body: Uint8Array): Promise<number> {
    const answer = await this.#here.bus.store(on, body)
    if (answer.kind !== 'stored') throw new Error(answer.message)
    return answer.seq
  }

  lease(change: Partial<Lease> = {}): Lease {
    return { ...leaseOf(change.id ?? `l${++this.#count}`, this.#epoch), ...change }
  }

  async grant(sender: string, given: Lease, orders: readonly HeldOrder[], tick = this.seen.get(sender)?.tick ?? 0): Promise<GrantAnswer> {
    const answer = await this.#here.bus.ask(subject('grant', { sender }), encode({ lease: given, tick, orders } satisfies Grant), { timeoutMs: 2_000 })
    if (answer.kind !== 'answer') throw new Error(`no answer to the grant: ${answer.kind}`)
    return decode<GrantAnswer>(answer.body)
  }

  /** With a tick that is fresh: `senders.here` comes each half second. */
  async granted(sender: string, given: Lease, orders: readonly HeldOrder[], keep: 'renewed' | 'as-it-is' = 'renewed'): Promise<Lease> {
    if (keep === 'renewed') this.#renewed.set(given.id, given.pacePerS)
    const before = this.seen.get(sender)
    await until('a fresh tick', () => this.seen.get(sender) !== before)
    expect(await this.grant(sender, given, orders)).toEqual({ kind: 'accepted' })
    return given
  }

  async refusal(sender: string, given: Lease, orders: readonly HeldOrder[]): Promise<string> {
    const before = this.seen.get(sender)
    await until('a fresh tick', () => this.seen.get(sender) !== before)
    const answer = await this.grant(sender, given, orders)
    return answer.kind === 'refused' ? answer.because : answer.kind
  }

  async outcomes({ campaign }: Placed): Promise<Outcome[]> {
    const messages = await gather(this.#here.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign })))
    return messages.flatMap(({ body }) => (JSON.parse(text(body)) as OutcomeChunk).outcomes)
  }

  async holdings(sender: string): Promise<Holdings> {
    const answer = await this.#here.bus.ask(subject('holdings', { sender }), encode({ shard: SHARD, epoch: this.#epoch, router: 'router-1' }), {
      timeoutMs: 2_000,
    })
    if (answer.kind !== 'answer') throw new Error(`no answer about holdings: ${answer.kind}`)
    return decode<Holdings>(answer.body)
  }

  /** The order was acked: the work queue has let go of it. */
  async isGone({ held }: Placed): Promise<boolean> {
    return (await this.#here.bus.readSeq(STREAM.mail, held.seq)) === null
  }

  /** How often each got its mail. */
  copies(addresses: readonly string[]): number[] {
    return addresses.map((rcpt) => this.#world.record.arrivals(rcpt).reduce((sum, { count }) => sum + count, 0))
  }

  /** what the far end has stored from each source: mails, and recipients in their envelopes */
  stored(): { readonly stored: number; readonly rcpts: number }[] {
    return [...this.#world.record.isps.values()].flatMap(({ sources }) => [...sources.values()])
  }

  arrived(addresses: readonly string[]): number {
    return this.copies(addresses).filter((count) => count > 0).length
  }

  /** Orders of a campaign that wait for their time, or for the scheduler. */
  async waitingOrders(campaign: string): Promise<Order[]> {
    const { bus } = this.#here
    const all = [...(await gather(bus.scan(STREAM.mail, wildcard('due')))), ...(await gather(bus.scan(STREAM.mail, 'later.acme.*.*')))]
    return all.map(({ body }) => decode<Order>(body)).filter((order) => order.campaign === campaign)
  }
}

/** One for all tests of a file. */
export function labForFile(): ReturnType<typeof natsForFile> & { readonly lab: SenderLab } {
  const here = natsForFile() as ReturnType<typeof natsForFile> & { lab: SenderLab }
  beforeAll(async () => {
    here.lab = await SenderLab.open(here)
  }, 30_000)
  afterEach(() => here.lab.rest())
  afterAll(() => here.lab?.[Symbol.asyncDispose]())
  return here
}
