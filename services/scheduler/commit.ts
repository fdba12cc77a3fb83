import { decode, encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import type { Batch, ExpansionCursor, Order } from '../../protocol/messages/mail.ts'
import { fullMask } from '../../protocol/mask.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { Bus, Entry } from '../runtime/bus/types.ts'
import type { Log } from '../runtime/log.ts'
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
  const atOnce =
    done && running.expansionSeq === 0 && cursor.recipients <= AT_ONCE && mayStart(running, tools.now()) && tools.book.admits(record, groups, tools.now())
  const entries: Entry[] = [{ subject: subject('expansionCursor', names), body: encode(cursor), rollup: true, expect: { seq: running.expansionSeq } }]
  const batchAt: number[] = []
  const released = new Set<Group>()
  for (const group of groups) {
    batchAt.push(entries.length)
    entries.push({ subject: subject('batch', { ...names, site: token(group.site) }), body: encode(batchOf(running, group)) })
    if (!atOnce || group.place !== 'site' || released.has(group) || groups.some((other) => other !== group && other.site === group.site)) continue
    released.add(group)
    entries.push({ subject: subject('order', { shard: group.shard, lane: record.lane }), body: encode(orderOf(running, group.recipients.length, group, -1)) })
    entries.push({ subject: subject('releaseCursor', { ...names, site: token(group.site) }), body: encode({ released: -2 }), rollup: true, expect: { seq: 0 } })
  }

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
  for (const [at, group] of groups.entries()) {
    const offset = batchAt[at] as number
    const queue = queueOf(running.queues, group)
    if (released.has(group)) {
      queue.cursorSeq = firstSeq + offset + 2
      running.underWay.released(firstSeq + offset, group.site, group.recipients.length)
      tools.book.spend(record, group, group.recipients.length, tools.now())
    } else queue.batches.push({ seq: firstSeq + offset, count: group.recipients.length })
  }
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
