import { OBJECT_BUCKET, objectOf } from '../../protocol/buckets.ts'
import { Content, type Problem } from '../../protocol/campaign.ts'
import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import type { Fleet } from '../../protocol/fleet.ts'
import { campaignName, ID_PATTERN } from '../../protocol/ids.ts'
import type { CampaignContent, CampaignRecord } from '../../protocol/messages/campaign.ts'
import { CONSUMERS, STREAM } from '../../protocol/streams.ts'
import { readSubject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Delivery, Puller } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import { openObjects } from '../runtime/objects.ts'
import { type FoundObject, openTenantObjects, type TenantObjects } from '../runtime/tenant-objects.ts'
import type { Campaigns, Running } from './campaigns.ts'
import type { CampaignEvents } from './events.ts'
import { jobDigest } from './job-digest.ts'
import { listFormat } from './list-reader.ts'
import { type Accepted, judgeJob } from './acceptance.ts'
import type { Preflight } from './preflight.ts'
import { emptyRecord, NO_TALLY, rejectedRecord } from './records.ts'
import { statusOfRecord } from './status.ts'
import { StoreGate } from './store-gate.ts'

/** jobs looked at together */
const AT_ONCE = 32
const ACK_WAIT_MS = 60_000
/** Jobs that were asked for before the store ran full wait for room: for less than ack_wait, or they would be taken twice. */
const ROOM_WAIT_MS = 45_000

export interface IntakeOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly fleet: () => Fleet
  readonly campaigns: Campaigns
  readonly events: CampaignEvents
  readonly preflight: Preflight
  readonly journalPosition: () => number
  readonly onAccepted: (running: Running) => void
}

/** Jobs → accepted or rejected, with all problems. The record is durable before anybody is told, and that before the ack. */
export class Intake implements AsyncDisposable {
  readonly #options: IntakeOptions
  readonly #busy = new Set<Promise<void>>()
  /** pulled and not judged yet: their status is `received` */
  readonly #received = new Set<string>()
  #puller: Puller | null = null
  readonly #store: StoreGate

  constructor(options: IntakeOptions) {
    this.#options = options
    const { bus, clock, log } = options
    this.#store = new StoreGate({ bus, clock, log, onChange: () => this.#want() })
  }

  async start(): Promise<void> {
    await this.#store.start()
    const spec = { stream: STREAM.jobs, durable: CONSUMERS.jobs, filter: wildcard('campaignJob'), ackWaitMs: ACK_WAIT_MS, maxAckPending: 2 * AT_ONCE }
    this.#puller = await this.#options.bus.pull(spec, (delivery) => {
      const working = this.#store
        .room(ROOM_WAIT_MS)
        .then((room) => (room ? this.#take(delivery) : undefined)) // not acked: it comes again
        .catch((error: unknown) => {
          if (!(error instanceof Infrastructure)) throw error
          this.#options.log.warn('job delayed', { job: delivery.seq, error: error.message })
        })
        .finally(() => {
          this.#busy.delete(working)
          this.#want()
        })
      this.#busy.add(working)
      this.#want()
    })
    this.#want()
  }

  isReceived(tenant: string, id: string): boolean {
    return this.#received.has(campaignName({ tenant, id }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#puller?.[Symbol.asyncDispose]()
    this.#store[Symbol.dispose]()
    await Promise.all(this.#busy)
  }

  #want(): void {
    this.#puller?.want(this.#store.isOpen ? Math.max(0, AT_ONCE - this.#busy.size) : 0)
  }

  async #take(delivery: Delivery): Promise<void> {
    const { bus, fleet, campaigns, events, clock } = this.#options
    const tenant = readSubject('campaignJob', delivery.subject)?.tenant ?? ''
    const read = decodePublic(delivery.body)
    if (read.kind === 'unreadable') {
      await this.#reject(delivery, tenant, null, [{ path: '', message: `message ${delivery.seq} is neither JSON nor msgpack: ${read.because}` }])
      return
    }
    const id = idOf(read.body)
    const name = id === null ? null : campaignName({ tenant, id })
    if (name) this.#received.add(name)
    try {
      const digest = jobDigest(read.body)
      const known = id === null ? null : await campaigns.lookUp(tenant, id)
      if (known && known.state !== 'rejected') {
        if (known.digest === digest) {
          // The same once more: it is told again what it has been told, and runs once.
          if (known.job !== delivery.seq) await bus.remove(STREAM.jobs, delivery.seq)
          await events.accepted(
            statusOfRecord(known),
            delivery.seq,
            known.job === delivery.seq ? [] : [{ path: 'id', message: `the same campaign was accepted as publish ${known.job}; it runs once` }],
          )
          if (known.job === delivery.seq) {
            const running = await campaigns.takeUp(tenant, id as string)
            if (running) this.#options.onAccepted(running)
          }
          bus.ack(delivery.ackSubject)
          return
        }
        const message = `"${id}" is another campaign already (publish ${known.job}, ${known.state}); it goes on untouched, publish this one under an id of its own`
        await this.#reject(delivery, tenant, id, [{ path: 'id', message }])
        return
      }
      const { pins, sizes } = await this.#objects(read.body, tenant)
      const judged = judgeJob(read.body, { tenant, fleet: fleet(), publishedAt: delivery.at, objects: sizes })
      if (judged.kind === 'rejected') {
        await this.#reject(delivery, tenant, judged.id, judged.problems)
        return
      }
      const { campaign, pool } = judged
      const { problems, warnings } = await this.#options.preflight.judge({ tenant, kind: campaign.kind, pool, from: campaign.from.address })
      if (problems.length > 0) {
        await this.#reject(delivery, tenant, campaign.id, problems)
        return
      }
      const record = await this.#record(judged, tenant, delivery, digest, pins)
      const running = await campaigns.create(record)
      if (running === null) {
        // Two publishes of one id side by side: the other was faster, now this one is compared with it.
        await this.#take(delivery)
        return
      }
      await events.accepted(statusOfRecord(record), delivery.seq, warnings)
      bus.ack(delivery.ackSubject)
      this.#options.onAccepted(running)
      this.#options.log.info('accepted', { campaign: name, job: delivery.seq, afterMs: clock.now() - delivery.at })
    } finally {
      if (name) this.#received.delete(name)
    }
  }

  async #reject(delivery: Delivery, tenant: string, id: string | null, problems: readonly Problem[]): Promise<void> {
    const { bus, campaigns, events, clock } = this.#options
    if (id !== null && ID_PATTERN.test(id)) await campaigns.remember(rejectedRecord(tenant, id, delivery.seq, problems, clock.now()))
    await events.rejected(tenant, id, delivery.seq, problems)
    bus.ack(delivery.ackSubject)
    await bus.remove(STREAM.jobs, delivery.seq)
  }

  /** Sizes of the objects that a job names; the list's pin too, so that what is read later is what was judged. */
  async #objects(body: unknown, tenant: string): Promise<{ pins: ReadonlyMap<string, FoundObject>; sizes: ReadonlyMap<string, number> }> {
    const objects = this.#objectsOf(tenant)
    const pins = new Map<string, FoundObject>()
    for (const name of namedObjects(body)) {
      const pin = await objects.head(name)
      if (pin) pins.set(name, pin)
    }
    return { pins, sizes: new Map([...pins].map(([name, { size }]) => [name, size])) }
  }

  async #record(
    { campaign, recipients, lane, pool, dedupe, startAt, deadline }: Accepted,
    tenant: string,
    delivery: Delivery,
    digest: string,
    pins: ReadonlyMap<string, FoundObject>,
  ): Promise<CampaignRecord> {
    const now = this.#options.clock.now()
    const objects = openObjects(this.#options.bus, OBJECT_BUCKET)
    const { from, sender, replyTo, subject, text, html, headers, attachments, unsubscribe, list } = campaign
    const body: CampaignContent = {
      v: 1,
      tenant,
      campaign: campaign.id,
      kind: campaign.kind,
      content: Content.parse(defined({ from, sender, replyTo, subject, text, html, headers, attachments, unsubscribe, list })),
      missing: campaign.missing,
      test: campaign.test,
      date: startAt,
    }
    // Its name holds job and digest: a rejected predecessor of the same id had another content.
    const content = objectOf('content', tenant, `${campaign.id}/${delivery.seq}`)
    await objects.put(content, [encodeJson(body)])
    const pin = campaign.recipientsObject === undefined ? undefined : pins.get(campaign.recipientsObject)
    return {
      ...emptyRecord(tenant, campaign.id, delivery.seq, now),
      digest,
      state: startAt > now ? 'scheduled' : 'counting',
      kind: campaign.kind,
      lane,
      pool,
      from: from.address.slice(from.address.lastIndexOf('@') + 1).toLowerCase(),
      weight: campaign.weight,
      rate: campaign.rate ?? null,
      window: campaign.window ?? null,
      dedupe,
      content,
      list:
        pin && campaign.recipientsObject
          ? { name: campaign.recipientsObject, ...pin, format: await this.#formatOf(tenant, campaign.recipientsObject, pin) }
          : null,
      listId: campaign.list?.id ?? null,
      inline: campaign.recipientsObject === undefined ? recipients.length : null,
      missing: campaign.missing,
      test: campaign.test,
      ...(campaign.requireTls && { requireTls: true }),
      startAt,
      startedAt: null,
      deadline,
      tally: { ...NO_TALLY, position: this.#options.journalPosition() },
    }
  }

  async #formatOf(tenant: string, name: string, pin: FoundObject): Promise<'ndjson' | 'csv'> {
    for await (const chunk of this.#objectsOf(tenant).read(pin)) return listFormat(name, chunk[0])
    return listFormat(name, undefined)
  }

  #objectsOf(tenant: string): TenantObjects {
    return openTenantObjects(
      this.#options.bus,
      tenant,
      this.#options.fleet().tenant.map(({ name }) => name),
    )
  }
}

function idOf(body: unknown): string | null {
  const id = (body as { id?: unknown } | null)?.id
  return typeof id === 'string' && ID_PATTERN.test(id) ? id : null
}

function namedObjects(body: unknown): string[] {
  const { recipientsObject, attachments } = (body ?? {}) as { recipientsObject?: unknown; attachments?: unknown }
  const names = Array.isArray(attachments) ? attachments.map((attachment) => (attachment as { object?: unknown } | null)?.object) : []
  return [recipientsObject, ...names].filter((name): name is string => typeof name === 'string' && name !== '')
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}
