import { encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import { bitsOf, maskOf } from '../../protocol/mask.ts'
import { type Batch, batchSeqOf, carried, type Order, orderId, readBatch, readOrder } from '../../protocol/messages/mail.ts'
import type { RetryPolicy } from '../../protocol/retry.ts'
import { CONSUMERS, STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Lane, ReplyClass } from '../../protocol/words.ts'
import type { Bus, Delivery, Puller, Stored } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import { restOrder } from '../runtime/retry-order.ts'
import type { Campaigns, Running } from './campaigns.ts'
import { holdAt } from './policy/site-holds.ts'
import { hoursOf } from './policy/window.ts'
import type { Place, Sites } from './sites.ts'
import type { Suppression } from './suppression.ts'
import { decide, forAll, OWNER, type OwnVerdict, readStanding } from './verdicts.ts'

const AT_ONCE = 64
/** Recipients of another site than the order's first wait so long for an order of their own: one batch has one order at a time. */
const OTHER_SITE_MS = 1_000

const UNREADABLE = 'unreadable'
const SET_ASIDE_MS = 3_600_000

export interface DueOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  /** does this sender live? asked at the leader */
  readonly isAlive: (sender: string) => Promise<boolean>
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
      await puller[Symbol.asyncDispose]()
      await Promise.all(busy)
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
  const names = { campaign: campaignName({ tenant: order.tenant, id: order.campaign }), batch: batchSeq, attempt: order.attempt }
  const done = () => bus.ack(delivery.ackSubject)
  const drop = (because: string) => {
    log.info('due dropped', { ...names, because })
    done()
  }
  if (!running) return drop('campaign-ended')

  const standing = await readStanding(bus, order, batchSeq)
  const mine = standing?.claim.attempt === order.attempt && standing.claim.order === orderId(held)
  // A later attempt was claimed, or another order of this one: what is to be said, that one says.
  if (standing && standing.claim.attempt > order.attempt) return drop('attempt-over')
  if (standing && standing.claim.attempt === order.attempt && !mine) return drop('other-order')
  const isMidway = mine && standing.claim.sender !== OWNER
  // Its holder lives and works on it. Not acked: should the holder die, this may be the last copy, and it comes again.
  if (isMidway && (await options.isAlive(standing.claim.sender))) return

  const now = clock.now()
  const { record } = running
  const later = async (at: number, next: Order): Promise<void> => {
    const stored = await restOrder(bus, batchSeq, next, at)
    if (stored !== 'later-one-rests') surely(stored)
    // Resumed or cancelled meanwhile: whoever fired what waits may not have seen it. So it is asked again; what rests is its copy then.
    if (running.record.state === record.state && running.record.heldSites === record.heldSites) done()
    else await settle(delivery, options)
  }
  const { parked: _, ...same }: Order = carried(held)
  if (record.state !== 'cancelling' && record.deadline > now) {
    // Parked until resume; at the deadline at the latest, which then is what ends it.
    if (record.state === 'paused' || holdAt(record, order.site) !== null) return later(record.deadline, { ...same, parked: true })
    if (record.startAt > now) return later(record.startAt, same)
    const hours = hoursOf(record.window, now)
    if (hours.kind === 'closed') return later(Math.min(hours.until, record.deadline), same)
  }

  const written = order.inline ?? (await bus.fetchSeq(STREAM.mail, batchSeq))?.body
  if (written === undefined) return done() // everybody in it has an outcome
  const batch = readBatch(written) ?? unreadable(order)
  const open = bitsOf(order.mask).filter((n) => n < batch.recipients.length && !running.tally.isSettled(batchSeq, n))
  if (batch.content === UNREADABLE && record.state !== 'cancelling' && record.deadline > now)
    return later(record.deadline, { ...same, parked: true, because: 'protocol' })
  const after = outOfReach(order)
  const { verdicts, going, waiting, place, doubt } = await sort(running, batch, open, now, after, options)

  let maybe = order.maybe ?? new Uint8Array(0)
  if (verdicts.size > 0) {
    const decided = await decide({ bus, clock }, { batch, batchSeq, attempt: order.attempt, order: orderId(held), verdicts, maybe, standing })
    if (decided.kind === 'refused') return // somebody claimed it just now; when it comes again, that is seen
    log.info('decided', { ...names, recipients: verdicts.size })
    if (decided.suspected.length > 0) maybe = maskOf([...bitsOf(maybe), ...decided.suspected], batch.recipients.length)
  }
  if (going.length === 0 && waiting.length === 0) {
    if (order.inline === undefined && coversBatch(running, batch, batchSeq, verdicts)) await bus.remove(STREAM.mail, batchSeq)
    return done()
  }
  const members = [...going, ...waiting].sort((a, b) => a - b)
  const rest: Order = { ...narrowed(same, members, batch), ...(maybe.some((byte) => byte > 0) && { maybe }) }
  // Our own claim has used the attempt up, so the others go on under the next one, as a new order.
  const next = verdicts.size > 0 || (mine && !isMidway) ? nextAttempt(rest) : rest
  if (going.length === 0) {
    const { stepsMs } = policy().rows.dns
    const at = Math.min(record.deadline, now + (stepsMs[Math.min(next.attempt, stepsMs.length - 1)] ?? 300_000))
    if (doubt !== null) log.warn('resolver doubted', { ...names, because: doubt })
    running.underWay.rests(batchSeq, { because: doubt === null ? 'dns' : 'dns-doubted', until: at })
    // A dead sender's claim is taken over under its own attempt, or whom it may have sent to would be forgotten.
    return later(at, { ...(isMidway ? next : nextAttempt(next)), because: 'dns' })
  }
  const hours = hoursOf(record.window, now)
  const { because: _b, after: _a, ...onward } = next
  const sent: Order = {
    ...onward,
    ...(after !== null && { after }),
    ...(place && { site: place.site, provider: place.provider }),
    ...(hours.kind === 'open' && hours.until !== null && { pauseAt: hours.until }),
    ...(waiting.length > 0 && { notBefore: members.map((n) => (waiting.includes(n) ? Math.ceil((now + OTHER_SITE_MS) / 1_000) + 6 : 0)) }),
  }
  running.underWay.sent(batchSeq, sent.site)
  surely(await bus.store(subject('order', { shard: place?.shard ?? 't00', lane: order.lane }), encode(sent)))
  done()
}

/** The same mail under the next attempt: a new order, with an identity of its own. */
function nextAttempt({ id: _, ...order }: Order): Order {
  return { ...order, attempt: order.attempt + 1 }
}

/** What is no order waits an hour for a version that can read it; `hato doctor` lists it (style 8). */
async function setAside({ seq, body, ackSubject, subject: from }: Delivery, { bus, clock, log }: DueOptions): Promise<void> {
  log.error('order unreadable', { order: seq, from, bytes: body.length, againAfterMs: SET_ASIDE_MS })
  surely(await bus.store(subject('laterRest', { shard: UNREADABLE, site: UNREADABLE, order: seq }), body, { at: clock.now() + SET_ASIDE_MS, target: from }))
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
  /** the resolver denies every name: why nothing it says of a domain is believed */
  readonly doubt: string | null
}

/** Why a backup MX of another site is asked: nobody answers where the mail was to go, or says 521, or does not in the way that its domain asks for (delivery.md §6). */
const OUT_OF_REACH: ReadonlySet<ReplyClass> = new Set(['unreachable', 'bad-greeting', 'tls', 'tls-policy', 'null-mx'])

/** The site behind which a backup is to be asked. Whoever was not asked yet at the backup, since a lease ended or their time had not come, goes there still. */
function outOfReach({ because, site, after }: Order): string | null {
  if (because === undefined || because === 'lease-end') return after ?? null
  return OUT_OF_REACH.has(because) ? site : null
}

async function sort(
  running: Running,
  batch: Batch,
  open: readonly number[],
  now: number,
  after: string | null,
  { sites, suppression }: DueOptions,
): Promise<Sorted> {
  const { record } = running
  const none = { going: [], waiting: [], place: null, doubt: null }
  const mask = maskOf(open, batch.recipients.length)
  if (record.state === 'cancelling')
    return { ...none, verdicts: forAll(mask, { outcome: 'cancelled', class: 'cancelled', blames: 'nobody', because: 'the campaign was cancelled' }) }
  if (record.deadline <= now)
    return { ...none, verdicts: forAll(mask, { outcome: 'expired', class: 'deadline', blames: 'nobody', because: 'its time to be sent was over' }) }
  const domains = new Set(open.map((n) => domainOf(batch, n)))
  const places = new Map(await Promise.all([...domains].map(async (domain) => [domain, await sites.of(domain, after)] as const)))
  const verdicts = new Map<number, OwnVerdict>()
  const going: number[] = []
  const waiting: number[] = []
  let place: Sorted['place'] = null
  let doubt: string | null = null
  for (const n of open) {
    const address = batch.recipients[n]?.address ?? ''
    const held = suppression.heldBy(record, address)
    if (held !== null) {
      verdicts.set(n, { outcome: 'suppressed', class: 'suppressed', blames: 'recipient', because: `on the suppression list${held.of}: ${held.reason}` })
      continue
    }
    const found = places.get(domainOf(batch, n)) as Place
    if (found.kind === 'nowhere') verdicts.set(n, { outcome: 'bounced', class: found.class, blames: 'domain', because: found.because })
    else if (found.kind === 'unknown') {
      waiting.push(n)
      if (found.doubted) doubt = found.because
    } else if (place === null || place.site === found.site) {
      place ??= found
      going.push(n)
    } else waiting.push(n)
  }
  return { verdicts, going, waiting, place, doubt }
}

function domainOf(batch: Batch, n: number): string {
  const address = batch.recipients[n]?.address ?? ''
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
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

function surely(stored: Stored): void {
  if (stored.kind !== 'stored') throw new Infrastructure('unavailable', `order refused: ${stored.message}`)
}
