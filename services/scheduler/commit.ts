import { decode, encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import { type Batch, type ExpansionCursor, INLINE, type Order } from '../../protocol/messages/mail.ts'
import { fullMask } from '../../protocol/mask.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { Bus, Entry } from '../runtime/bus/types.ts'
import type { Log } from '../runtime/log.ts'
import type { AtOnce } from './at-once.ts'
import type { Running } from './campaigns.ts'
import type { Group } from './grouping.ts'
import type { AllotmentBook } from './policy/allotments.ts'
import { hoursOf } from './policy/window.ts'
import { inTurn, queueOf } from './restore.ts'

/** a campaign this small goes to the routers in the same atomic batch that stores it */
const AT_ONCE = 200

/** What lies between two cursors of an expansion. */
export interface ExpansionStep {
  readonly from: ExpansionCursor
  readonly cursor: ExpansionCursor
  readonly groups: readonly Group[]
}

export interface CommitTools {
  readonly bus: Bus
  readonly log: Log
  readonly now: () => number
  readonly book: AllotmentBook
  /** unreleased batches are there */
  readonly onBatches: (running: Running) => void
  /** which of them are released with the step */
  readonly releases: Pick<AtOnce, 'choose' | 'went'>
}

/** One atomic batch: the cursor that expects its predecessor, then the batches it counts. */
export function commit(running: Running, step: ExpansionStep, tools: CommitTools): Promise<void> {
  return inTurn(running, () => commitNow(running, step, tools))
}

async function commitNow(running: Running, { from, cursor, groups }: ExpansionStep, tools: CommitTools): Promise<void> {
  const { record } = running
  const { done } = cursor
  // Whoever read the stream again meanwhile found another step than the one this follows.
  if (running.expansion.batches !== from.batches || running.expansion.position !== from.position)
    throw new ExpansionInterrupted(`${campaignName(record)}: its cursor stands elsewhere than where this step was cut from`)
  const names = { tenant: record.tenant, campaign: record.id }
  const whole =
    done && running.expansionSeq === 0 && cursor.recipients <= AT_ONCE && mayStart(running, tools.now()) && tools.book.admits(record, groups, tools.now())
  const inline = inlineOf(running, groups)
  const going = whole ? new Set<Group>() : tools.releases.choose(running, [...inline.keys()])
  const entries: Entry[] = [{ subject: subject('expansionCursor', names), body: encode(cursor), rollup: true, expect: { seq: running.expansionSeq } }]
  const batchAt: number[] = []
  const released = new Set<Group>()
  for (const group of groups) {
    batchAt.push(entries.length)
    const within = whole || going.has(group) ? inline.get(group) : undefined
    if (within !== undefined) {
      released.add(group)
      const order = { ...orderOf(running, group.recipients.length, group, 0), inline: within }
      entries.push({ subject: subject('order', { shard: group.shard, lane: record.lane }), body: encode(order) })
      continue
    }
    entries.push({ subject: subject('batch', { ...names, site: token(group.site) }), body: inline.get(group) ?? encode(batchOf(running, group)) })
    if (!whole || group.place !== 'site' || released.has(group) || groups.some((other) => other !== group && other.site === group.site)) continue
    released.add(group)
    entries.push({ subject: subject('order', { shard: group.shard, lane: record.lane }), body: encode(orderOf(running, group.recipients.length, group, -1)) })
    entries.push({ subject: subject('releaseCursor', { ...names, site: token(group.site) }), body: encode({ released: -2 }), rollup: true, expect: { seq: 0 } })
  }

  const counts = groups.map(({ recipients }) => recipients.length)
  for (const group of groups) group.recipients = [] // the entries have them, and the next window is read while these are stored: two of them need not be in memory
  const stored = await tools.bus.storeAll(entries)
  let firstSeq: number
  if (stored.kind === 'stored') firstSeq = stored.lastSeq - entries.length + 1
  else {
    // Refused or unknown: never retried blindly. The cursor tells whether it was ours.
    const last = await tools.bus.readLast(STREAM.mail, subject('expansionCursor', names))
    const told = last && decode<ExpansionCursor>(last.body)
    if (!last || !told || last.seq <= running.expansionSeq || told.position !== cursor.position || told.batches !== cursor.batches) {
      throw new ExpansionInterrupted(`${campaignName(record)}: ${stored.kind === 'refused' ? `${stored.code} ${stored.message}` : stored.because}`)
    }
    firstSeq = last.seq
  }
  running.expansionSeq = firstSeq
  running.expansion = cursor
  const sent: { readonly group: Group; readonly seq: number; readonly count: number }[] = []
  for (const [at, group] of groups.entries()) {
    const [offset, count] = [batchAt[at] as number, counts[at] as number]
    if (going.has(group)) {
      sent.push({ group, seq: firstSeq + offset, count })
      continue
    }
    const queue = queueOf(running.queues, group)
    if (released.has(group)) {
      if (!inline.has(group)) queue.cursorSeq = firstSeq + offset + 2
      running.underWay.released(firstSeq + offset, group.site, count)
      tools.book.spend(record, group, count, tools.now())
    } else queue.batches.push({ seq: firstSeq + offset, count })
  }
  if (sent.length > 0) tools.releases.went(running, sent)
  running.changed = true
  tools.log.info('batches cut', {
    campaign: campaignName(record),
    batches: groups.length,
    recipients: cursor.recipients,
    listRead: cursor.listRead,
    released: released.size,
    done,
  })
  tools.onBatches(running)
}

/** Its cursor moved under us, or nobody knows: the expansion begins again from what the stream says. */
export class ExpansionInterrupted extends Error {
  override readonly name = 'ExpansionInterrupted'
}

/** Batches so small that they go within their order, once they are released; a site that has two of them in one step has too many recipients for it. */
function inlineOf(running: Running, groups: readonly Group[]): ReadonlyMap<Group, Uint8Array> {
  const small = new Map<string, Group | null>()
  for (const group of groups)
    if (group.place === 'site') small.set(group.site, small.has(group.site) || group.recipients.length > INLINE.recipients ? null : group)
  const inline = new Map<Group, Uint8Array>()
  for (const group of small.values()) {
    if (group === null) continue
    const batch = encode(batchOf(running, group))
    if (batch.length <= INLINE.bytes) inline.set(group, batch)
  }
  return inline
}

function mayStart({ record }: Running, now: number): boolean {
  return (
    record.rate === null &&
    record.startAt <= now &&
    (record.state === 'counting' || record.state === 'running') &&
    hoursOf(record.window, now).kind === 'open' &&
    record.window === null
  )
}

function batchOf({ record }: Running, group: Group): Batch {
  return {
    v: 1,
    tenant: record.tenant,
    campaign: record.id,
    kind: record.kind,
    site: group.site,
    provider: group.provider,
    shard: group.shard,
    content: record.content,
    ...(record.requireTls && { requireTls: true }),
    first: group.first,
    recipients: group.recipients.map(({ address, name, ref, vars }) => ({ address, name: name ?? null, ref: ref ?? null, vars: vars ?? null })),
  }
}

/** The first order of a batch. `batch` negative: so many messages before the order itself. */
export function orderOf({ record }: Running, size: number, at: { site: string; provider: string | null }, batch: number): Order {
  return {
    v: 1,
    tenant: record.tenant,
    campaign: record.id,
    kind: record.kind,
    lane: record.lane,
    site: at.site,
    provider: at.provider,
    pool: record.pool,
    ...(record.from !== undefined && { from: record.from }),
    batch,
    mask: fullMask(size),
    count: size,
    attempt: 0,
    deadline: record.deadline,
    ...(record.rate !== null && { rate: record.rate }),
  }
}
