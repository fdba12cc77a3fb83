import { normaliseAddress } from '../../protocol/addresses.ts'
import type { Problem, Recipient } from '../../protocol/campaign.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import type { Batch, ExpansionCursor, Order } from '../../protocol/messages/mail.ts'
import { fullMask } from '../../protocol/mask.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import { oneClickProblems } from '../content/check.ts'
import { HEADER_SPF_RECIPIENTS, HEADER_SPF_SITES } from '../content/preflight.ts'
import type { Bus, Entry } from '../runtime/bus/types.ts'
import type { Log } from '../runtime/log.ts'
import { ObjectError, openObjects } from '../runtime/objects.ts'
import { contentOf } from './content-of.ts'
import { type Campaigns, ENDED, type Running } from './campaigns.ts'
import { type Group, placeOf, WindowOfGroups } from './grouping.ts'
import { type ListLine, readList } from './list-reader.ts'
import type { AllotmentBook } from './policy/allotments.ts'
import { isLarge } from './policy/sample.ts'
import { hoursOf } from './policy/window.ts'
import type { Preflight } from './preflight.ts'
import { inTurn, queueOf } from './restore.ts'
import { SeenSet } from './seen-set.ts'
import type { Sites } from './sites.ts'
import type { Suppression } from './suppression.ts'

/** lines read and resolved together: DNS look-ups of as many domains at once */
const READ_AHEAD = 2_000
/** lines of a list that are looked at before the first batch is cut (design §4) */
const SAMPLE_LINES = 10_000
const SAMPLE_UNUSABLE = 0.05
/** recipients whose one-click links are rendered and compared */
const LINKS_COMPARED = 20
/** problems of a list that are told one by one */
const PROBLEMS_TOLD = 100
/** a campaign this small goes to the routers in the same atomic batch that stores it */
const AT_ONCE = 200

export interface ExpansionTools {
  readonly bus: Bus
  readonly log: Log
  readonly campaigns: Campaigns
  readonly sites: Sites
  readonly suppression: Suppression
  readonly now: () => number
  readonly dice: () => number
  readonly stopping: () => boolean
  readonly preflight: Pick<Preflight, 'headerSpf'>
  readonly book: AllotmentBook
  /** unreleased batches are there */
  readonly onBatches: (running: Running) => void
  readonly onProgress: (running: Running, problems: readonly Problem[]) => Promise<void>
}

/** What became of reading a list. `refused`: the campaign cannot go on; the reason is for its owner. */
export type Expanded = { readonly kind: 'done' } | { readonly kind: 'stopped' } | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/**
 * Reads a campaign's recipients from where its cursor stands and cuts them into batches by site. Each step is one atomic batch, cursor first,
 * that expects the cursor it read: after a crash nothing is lost and nothing is there twice (facts: 48 kills).
 */
export async function expand(running: Running, tools: ExpansionTools): Promise<Expanded> {
  const { record } = running
  try {
    if (running.expansion.done) return { kind: 'done' }
    if (record.list !== null && running.expansionSeq === 0) {
      const problems = await sampleProblems(running, tools)
      if (problems.length > 0) return { kind: 'refused', problems }
    }
    return await readOn(running, tools)
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    return { kind: 'refused', problems: [{ path: 'recipientsObject', message: `${record.list?.name}: ${error.message}` }] }
  }
}

/** The first 10,000 lines: more than 5 % unusable stops the campaign before anything of it is sent. */
async function sampleProblems(running: Running, tools: ExpansionTools): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  let lines = 0
  let unusable = 0
  const sample: Recipient[] = []
  for await (const line of linesOf(running, tools)) {
    if (line.kind === 'blank') continue
    if (++lines > SAMPLE_LINES) break
    if (line.kind === 'recipient' && sample.length < LINKS_COMPARED) sample.push(line.recipient)
    if (line.kind !== 'unusable') continue
    unusable++
    if (problems.length < PROBLEMS_TOLD) problems.push(...line.problems)
  }
  const read = Math.min(lines, SAMPLE_LINES)
  if (read === 0) return [{ path: 'recipientsObject', message: `${running.record.list?.name} holds no recipient` }]
  if (unusable <= read * SAMPLE_UNUSABLE) {
    return running.record.kind === 'marketing' ? oneClickProblems((await contentOf(tools.bus, running.record)).content, sample) : []
  }
  return [
    {
      path: 'recipientsObject',
      message: `${unusable} of the first ${read} lines of ${running.record.list?.name} are unusable (${((100 * unusable) / read).toFixed(1)} %, at most 5 %); nothing was sent, mend the list and publish again`,
    },
    ...problems,
  ]
}

async function* linesOf({ record }: Running, { bus }: ExpansionTools): AsyncGenerator<ListLine> {
  if (record.list !== null) {
    yield* readList(openObjects(bus, record.list.bucket).read(record.list), record.list.format, record.kind)
    return
  }
  const job = await bus.fetchSeq(STREAM.jobs, record.job)
  if (job === null) throw new ObjectError('missing', `job ${record.job} is no longer in the stream`)
  const { recipients } = decodeJob(job.body)
  for (const [at, recipient] of recipients.entries()) yield { kind: 'recipient', recipient, line: at + 1, after: at + 1 }
}

function decodeJob(body: Uint8Array): { recipients: readonly Recipient[] } {
  const first = body[0] as number
  return (first & 0xf0) === 0x80 || first === 0xde || first === 0xdf ? decode(body) : JSON.parse(new TextDecoder().decode(body))
}

async function readOn(running: Running, tools: ExpansionTools): Promise<Expanded> {
  const seen = running.record.dedupe === 'none' ? null : new SeenSet()
  const problems: Problem[] = []
  const from = running.expansion.position
  let open = new WindowOfGroups(running.expansion)
  let ahead: { line: ListLine; isNew: boolean }[] = []
  let lookers = 0 // at sites that look at the SPF of From

  /** Lines go into the window in the order of the list; their domains are looked up together. */
  const flush = async (): Promise<Problem | null> => {
    const places = await placesOf(
      ahead.flatMap(({ line, isNew }) => (line.kind === 'recipient' && isNew ? [line.recipient] : [])),
      tools.sites,
    )
    const before = lookers
    for (const { line, isNew } of ahead) {
      const place = line.kind === 'recipient' && isNew ? places.get(domainOf(line.recipient)) : undefined
      if (place?.kind === 'site' && HEADER_SPF_SITES.has(place.site)) lookers++
    }
    const problem = before <= HEADER_SPF_RECIPIENTS && lookers > HEADER_SPF_RECIPIENTS ? await tools.preflight.headerSpf(running.record) : null
    if (problem !== null) return problem
    for (const { line, isNew } of ahead) {
      if (line.kind === 'blank') open.readTo(line.after)
      else if (line.kind === 'unusable') open.unusable(line.after)
      else if (!isNew) open.duplicate(line.after)
      else {
        const group = placeOf(line.recipient.address, places, tools.suppression.heldBy(running.record, line.recipient.address) !== null)
        if (open.isFullFor(group)) {
          await commit(running, open, tools, false)
          open = new WindowOfGroups(running.expansion)
        }
        open.add(group, line.recipient, line.after)
      }
    }
    ahead = []
    return null
  }

  for await (const line of linesOf(running, tools)) {
    if (tools.stopping() || running.record.state === 'cancelling' || ENDED.has(running.record.state)) return { kind: 'stopped' }
    const key = line.kind === 'recipient' && seen ? keyOf(line.recipient, running.record.dedupe) : null
    const isNew = key === null || seen?.add(key) === true
    if (line.after <= from) continue // counted before the restart; only the memory of duplicates is rebuilt
    if (line.kind === 'unusable' && problems.length < PROBLEMS_TOLD) problems.push(...line.problems)
    ahead.push({ line, isNew })
    if (ahead.length < READ_AHEAD) continue
    const refused = await flush()
    if (refused !== null) return { kind: 'refused', problems: [refused] }
    await tools.onProgress(running, problems)
  }
  const refused = await flush()
  if (refused !== null) return { kind: 'refused', problems: [refused] }
  await commit(running, open, tools, true)
  await tools.onProgress(running, problems)
  return { kind: 'done' }
}

function keyOf(recipient: Recipient, dedupe: 'address' | 'ref' | 'none'): string | null {
  if (dedupe === 'ref') return recipient.ref ?? null
  return normaliseAddress(recipient.address) ?? recipient.address
}

function domainOf({ address }: Recipient): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

async function placesOf(recipients: readonly Recipient[], sites: Sites): Promise<Map<string, Awaited<ReturnType<Sites['of']>>>> {
  const domains = new Set(recipients.map(domainOf))
  return new Map(await Promise.all([...domains].map(async (domain) => [domain, await sites.of(domain)] as const)))
}

/** One atomic batch: the cursor that expects its predecessor, then the batches it counts. */
function commit(running: Running, window: WindowOfGroups, tools: ExpansionTools, done: boolean): Promise<void> {
  return inTurn(running, () => commitNow(running, window, tools, done))
}

async function commitNow(running: Running, window: WindowOfGroups, tools: ExpansionTools, done: boolean): Promise<void> {
  const { record } = running
  const names = { tenant: record.tenant, campaign: record.id }
  const { cursor, groups } = window.close(done, isLarge(record) ? tools.dice : null)
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
