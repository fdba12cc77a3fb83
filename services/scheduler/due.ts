import { encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import { bitsOf, maskOf } from '../../protocol/mask.ts'
import { type Batch, batchSeqOf, type Order, orderId, readBatch, readOrder } from '../../protocol/messages/mail.ts'
import type { RetryPolicy } from '../../protocol/retry.ts'
import { CONSUMERS, STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Lane } from '../../protocol/words.ts'
import type { Bus, Delivery, Puller } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Campaigns, Running } from './campaigns.ts'
import { hoursOf } from './policy/window.ts'
import type { Sites } from './sites.ts'
import type { Suppression } from './suppression.ts'
import { decide, forAll, type OwnVerdict } from './verdicts.ts'

const AT_ONCE = 64
/** Recipients of another site than the order's first wait so long for an order of their own: one batch has one order at a time. */
const OTHER_SITE_MS = 1_000

const UNREADABLE = 'unreadable'
const SET_ASIDE_MS = 3_600_000

export interface DueOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly nodeId: string
  readonly campaigns: Campaigns
  readonly sites: Sites
  readonly suppression: Suppression
  readonly policy: () => RetryPolicy
}

/**
 * Orders whose waiting is over, on their way back to a router: asked again whether they still should be sent (state, deadline, hours, suppression)
 * and where to (MX). Durable first, then the ack.
 */
export async function startDue(options: DueOptions): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  for (const lane of ['urgent', 'bulk'] as const) stack.use(await pullDue(lane, options))
  return stack
}

async function pullDue(lane: Lane, options: DueOptions): Promise<AsyncDisposable> {
  const { bus, log } = options
  const busy = new Set<Promise<void>>()
  let closed = false
  const puller: Puller = await bus.pull(
    { stream: STREAM.mail, durable: CONSUMERS.due(lane), filter: subject('due', { lane }), ackWaitMs: 30_000, maxAckPending: 4 * AT_ONCE },
    (delivery) => {
      const working = settle(delivery, options)
        .catch((error: unknown) => {
          // Not acked: it comes again after ack_wait.
          if (!(error instanceof Infrastructure)) throw error
          log.warn('due delayed', { order: delivery.seq, error: error.message })
        })
        .finally(() => {
          busy.delete(working)
          if (!closed) puller.want(AT_ONCE - busy.size)
        })
      busy.add(working)
      puller.want(Math.max(0, AT_ONCE - busy.size))
    },
  )
  puller.want(AT_ONCE)
  return {
    async [Symbol.asyncDispose]() {
      closed = true
      puller.want(0)
      await Promise.all(busy)
      await puller[Symbol.asyncDispose]()
    },
  }
}

async function settle(delivery: Delivery, options: DueOptions): Promise<void> {
  const { bus, clock, log, campaigns, policy } = options
  const order = readOrder(delivery.body)
  if (order === null) {
    await setAside(delivery, options)
    return
  }
  const held = { order, seq: delivery.seq, ackSubject: delivery.ackSubject }
  const batchSeq = batchSeqOf(held)
  const running = campaigns.get(order.tenant, order.campaign)
  const done = () => bus.ack(delivery.ackSubject)
  if (!running) {
    log.info('due dropped', { campaign: campaignName({ tenant: order.tenant, id: order.campaign }), batch: batchSeq, because: 'campaign-ended' })
    return done()
  }
  const now = clock.now()
  const { record } = running
  const later = async (at: number, next: Order): Promise<void> => {
    const on = subject('laterRetry', { tenant: order.tenant, campaign: order.campaign, batch: batchSeq })
    await surely(bus.store(on, encode(next), { at, target: subject('due', { lane: order.lane }) }))
    done()
  }
  const same: Order = { ...order, batch: batchSeq }
  delete (same as { parked?: true }).parked
  // Parked until resume; at the deadline at the latest, which then is what ends it.
  if (record.state === 'paused') return later(record.deadline, { ...same, parked: true })
  const hours = hoursOf(record.window, now)
  if (hours.kind === 'closed' && record.state !== 'cancelling' && record.deadline > now) return later(Math.min(hours.until, record.deadline), same)

  const message = await bus.fetchSeq(STREAM.mail, batchSeq)
  if (message === null) return done() // everybody in it has an outcome
  const batch = readBatch(message.body) ?? unreadable(order)
  const open = bitsOf(order.mask).filter((n) => n < batch.recipients.length && !running.tally.isSettled(batchSeq, n))
  if (batch.content === UNREADABLE && record.state !== 'cancelling' && record.deadline > now)
    return later(record.deadline, { ...same, parked: true, because: 'protocol' })
  const { verdicts, going, waiting, place } = await sort(running, batch, open, now, options)

  if (verdicts.size > 0) {
    const decided = await decide({ bus, clock, nodeId: options.nodeId }, batch, batchSeq, order.attempt, orderId(held), verdicts)
    // A sender claimed this or a later attempt: this copy is over, what is to be said the other says.
    if (decided === 'refused') return done()
    log.info('decided', { campaign: campaignName(record), batch: batchSeq, recipients: verdicts.size })
  }
  if (going.length === 0 && waiting.length === 0) {
    if (coversBatch(running, batch, batchSeq, verdicts)) await bus.remove(STREAM.mail, batchSeq)
    return done()
  }
  // Who was settled under this attempt used it up: the others go on under the next, or their claim would be refused as a twin.
  const attempt = order.attempt + (open.length - verdicts.size < order.count ? 1 : 0)
  if (going.length === 0) {
    const at = now + (policy().rows.dns.stepsMs[Math.min(attempt, policy().rows.dns.stepsMs.length - 1)] ?? 300_000)
    return later(at, { ...narrowed(same, waiting, batch), attempt: attempt + 1, because: 'dns' })
  }
  const members = [...going, ...waiting].sort((a, b) => a - b)
  const next: Order = {
    ...narrowed(same, members, batch),
    attempt,
    ...(place && { site: place.site, provider: place.provider }),
    ...(hours.kind === 'open' && hours.until !== null && { pauseAt: hours.until }),
    ...(waiting.length > 0 && { notBefore: members.map((n) => (waiting.includes(n) ? Math.ceil((now + OTHER_SITE_MS) / 1_000) + 6 : 0)) }),
  }
  await surely(bus.store(subject('order', { shard: place?.shard ?? 't00', lane: order.lane }), encode(next)))
  done()
}

/** What is no order waits an hour for a version that can read it; `hato doctor` lists it (style 8). */
async function setAside({ seq, body, ackSubject, subject: from }: Delivery, { bus, clock, log }: DueOptions): Promise<void> {
  log.error('order unreadable', { order: seq, from, bytes: body.length, againAfterMs: SET_ASIDE_MS })
  await surely(bus.store(subject('laterRest', { shard: UNREADABLE, site: UNREADABLE, order: seq }), body, { at: clock.now() + SET_ASIDE_MS, target: from }))
  bus.ack(ackSubject)
}

/** Stands for a batch that nobody can read: its recipients are known by number alone. */
function unreadable(order: Order): Batch {
  const recipients = Array.from({ length: order.mask.length * 8 }, () => ({ address: '', name: null, ref: null, vars: null }))
  return {
    v: 1,
    tenant: order.tenant,
    campaign: order.campaign,
    kind: order.kind,
    site: order.site,
    provider: order.provider,
    shard: '',
    content: UNREADABLE,
    first: 0,
    recipients,
  }
}

interface Sorted {
  readonly verdicts: Map<number, OwnVerdict>
  /** to be sent now, all at `place` */
  readonly going: number[]
  /** DNS does not know yet, or another site than the first one's */
  readonly waiting: number[]
  readonly place: { site: string; provider: string | null; shard: string } | null
}

async function sort(running: Running, batch: Batch, open: readonly number[], now: number, { sites, suppression }: DueOptions): Promise<Sorted> {
  const { record } = running
  const none = { going: [], waiting: [], place: null }
  const mask = maskOf(open, batch.recipients.length)
  if (record.state === 'cancelling')
    return { ...none, verdicts: forAll(mask, { outcome: 'cancelled', class: 'cancelled', blames: 'nobody', because: 'the campaign was cancelled' }) }
  if (record.deadline <= now)
    return { ...none, verdicts: forAll(mask, { outcome: 'expired', class: 'deadline', blames: 'nobody', because: 'its time to be sent was over' }) }
  const verdicts = new Map<number, OwnVerdict>()
  const going: number[] = []
  const waiting: number[] = []
  let place: Sorted['place'] = null
  for (const n of open) {
    const address = batch.recipients[n]?.address ?? ''
    if (suppression.has(record, address)) {
      const [entry] = suppression.find(record.tenant, address)
      verdicts.set(n, {
        outcome: 'suppressed',
        class: 'suppressed',
        blames: 'recipient',
        because: `on the suppression list: ${entry?.reason ?? 'by-hand'}${entry?.since ? ` since ${entry.since}` : ''}`,
      })
      continue
    }
    const found = await sites.of(address.slice(address.lastIndexOf('@') + 1).toLowerCase())
    if (found.kind === 'nowhere') verdicts.set(n, { outcome: 'bounced', class: found.class, blames: 'domain', because: found.because })
    else if (found.kind === 'unknown') waiting.push(n)
    else if (place === null || place.site === found.site) {
      place ??= found
      going.push(n)
    } else waiting.push(n)
  }
  return { verdicts, going, waiting, place }
}

/** The order for fewer recipients: what it carries per recipient goes along. */
function narrowed(order: Order, members: readonly number[], batch: Batch): Order {
  const was = bitsOf(order.mask)
  const rows = members.map((n) => was.indexOf(n))
  const { charged, refusals, notBefore, ...rest } = order
  return {
    ...rest,
    mask: maskOf(members, batch.recipients.length),
    count: members.length,
    ...(charged && { charged: Uint8Array.from(rows, (at) => charged[at] ?? 0) }),
    ...(refusals && { refusals: Uint8Array.from(rows, (at) => refusals[at] ?? 0) }),
    ...(notBefore && { notBefore: rows.map((at) => notBefore[at] ?? 0) }),
  }
}

function coversBatch(running: Running, batch: Batch, batchSeq: number, verdicts: ReadonlyMap<number, OwnVerdict>): boolean {
  // A batch nobody can read goes when everybody its order means has an outcome.
  const all = batch.content === UNREADABLE ? [...verdicts.keys()] : batch.recipients.map((_, n) => n)
  return all.every((n) => verdicts.has(n) || running.tally.isSettled(batchSeq, n))
}

async function surely(storing: Promise<{ kind: string; message?: string }>): Promise<void> {
  const stored = await storing
  if (stored.kind !== 'stored') throw new Infrastructure('unavailable', `order refused: ${stored.message ?? ''}`)
}
