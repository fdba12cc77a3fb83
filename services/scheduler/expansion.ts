import { setImmediate as turn } from 'node:timers/promises'
import { normaliseAddress } from '../../protocol/addresses.ts'
import type { Problem, Recipient } from '../../protocol/campaign.ts'
import { decode } from '../../protocol/codec.ts'
import { STREAM } from '../../protocol/streams.ts'
import { oneClickProblems } from '../content/check.ts'
import { HEADER_SPF_RECIPIENTS, HEADER_SPF_SITES } from '../content/preflight.ts'
import { ObjectError, openObjects } from '../runtime/objects.ts'
import { contentOf } from './content-of.ts'
import { type Campaigns, ENDED, type Running } from './campaigns.ts'
import { commit, type CommitTools } from './commit.ts'
import { SUPPRESSED_PLACE, WindowOfGroups } from './grouping.ts'
import { KnownPlaces } from './known-places.ts'
import { type ListLine, readList } from './list-reader.ts'
import { isLarge } from './policy/sample.ts'
import type { Preflight } from './preflight.ts'
import { SeenSet } from './seen-set.ts'
import type { Sites } from './sites.ts'
import type { Suppression } from './suppression.ts'

/** lines read and resolved together: DNS look-ups of as many domains at once; fewer at first, or the first mail waits for the slowest of so many */
const READ_AHEAD = 2_000
const FIRST_READ_AHEAD = 250
/** lines of a list that are looked at before the first batch is cut (design §4) */
const SAMPLE_LINES = 10_000
const SAMPLE_UNUSABLE = 0.05
/** recipients whose one-click links are rendered and compared */
const LINKS_COMPARED = 20
/** problems of a list that are told one by one */
const PROBLEMS_TOLD = 100

export interface ExpansionTools extends CommitTools {
  readonly campaigns: Campaigns
  readonly sites: Sites
  readonly suppression: Suppression
  readonly dice: () => number
  readonly stopping: () => boolean
  /** most batches of one step */
  readonly stepBatches: number
  readonly preflight: Pick<Preflight, 'headerSpf'>
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
  for await (const some of linesOf(running, tools)) {
    for (const line of some) {
      if (line.kind === 'blank') continue
      if (++lines > SAMPLE_LINES) break
      if (line.kind === 'recipient' && sample.length < LINKS_COMPARED) sample.push(line.recipient)
      if (line.kind !== 'unusable') continue
      unusable++
      if (problems.length < PROBLEMS_TOLD) problems.push(...line.problems)
    }
    if (lines > SAMPLE_LINES) break
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

async function* linesOf({ record }: Running, { bus }: ExpansionTools): AsyncGenerator<readonly ListLine[]> {
  if (record.list !== null) {
    yield* readList(openObjects(bus, record.list.bucket).read(record.list), record.list.format, record.kind)
    return
  }
  const job = await bus.fetchSeq(STREAM.jobs, record.job)
  if (job === null) throw new ObjectError('missing', `job ${record.job} is no longer in the stream`)
  const { recipients } = decodeJob(job.body)
  for (let at = 0; at < recipients.length; at += READ_AHEAD) {
    yield recipients.slice(at, at + READ_AHEAD).map((recipient, n) => ({ kind: 'recipient', recipient, line: at + n + 1, after: at + n + 1 }))
  }
}

function decodeJob(body: Uint8Array): { recipients: readonly Recipient[] } {
  const first = body[0] as number
  return (first & 0xf0) === 0x80 || first === 0xde || first === 0xdf ? decode(body) : JSON.parse(new TextDecoder().decode(body))
}

async function readOn(running: Running, tools: ExpansionTools): Promise<Expanded> {
  const { record } = running
  const seen = record.dedupe === 'none' ? null : new SeenSet()
  const places = new KnownPlaces(tools.sites, tools.now)
  const problems: Problem[] = []
  const from = running.expansion.position
  let open = new WindowOfGroups(running.expansion, tools.stepBatches)
  let committing: Promise<void> = Promise.resolve()
  let ahead: { readonly line: ListLine; readonly isNew: boolean }[] = []
  let together = FIRST_READ_AHEAD
  let lookers = 0 // at sites that look at the SPF of From

  /** Makes the window durable while the next one is read; one step is on its way at a time, so that each follows one that is known to stand. */
  const step = async (done: boolean): Promise<void> => {
    const cut = open.close(done, isLarge(record) ? tools.dice : null)
    open = new WindowOfGroups(cut.cursor, tools.stepBatches)
    await committing
    committing = commit(running, cut, tools)
    committing.catch(() => {}) // heard where it is waited for: before the next step, or at the end
  }

  /** Lines go into the window in the order of the list; their domains are looked up together. */
  const flush = async (some: typeof ahead): Promise<Problem | null> => {
    await places.lookUp(some.flatMap(({ line, isNew }) => (line.kind === 'recipient' && isNew ? [line.recipient.address] : [])))
    const before = lookers
    for (const { line, isNew } of some) if (line.kind === 'recipient' && isNew && HEADER_SPF_SITES.has(places.of(line.recipient.address).site)) lookers++
    const problem = before <= HEADER_SPF_RECIPIENTS && lookers > HEADER_SPF_RECIPIENTS ? await tools.preflight.headerSpf(record) : null
    if (problem !== null) return problem
    for (const { line, isNew } of some) {
      if (line.kind === 'blank') open.readTo(line.after)
      else if (line.kind === 'unusable') open.unusable(line.after)
      else if (!isNew) open.duplicate(line.after)
      else {
        const { address } = line.recipient
        const place = tools.suppression.heldBy(record, address) === null ? places.of(address) : SUPPRESSED_PLACE
        if (open.isFullFor(place)) await step(false)
        open.add(place, line.recipient, line.after)
      }
    }
    return null
  }

  try {
    for await (const lines of linesOf(running, tools)) {
      if (tools.stopping() || running.record.state === 'cancelling' || ENDED.has(running.record.state)) return { kind: 'stopped' }
      for (const line of lines) {
        const key = line.kind === 'recipient' && seen ? keyOf(line.recipient, record.dedupe) : null
        const isNew = key === null || seen?.add(key) === true
        if (line.after <= from) continue // counted before the restart; only the memory of duplicates is rebuilt
        if (line.kind === 'unusable' && problems.length < PROBLEMS_TOLD) problems.push(...line.problems)
        ahead.push({ line, isNew })
      }
      while (ahead.length >= together) {
        const refused = await flush(ahead.slice(0, together))
        if (refused !== null) return { kind: 'refused', problems: [refused] }
        ahead = ahead.slice(together)
        together = Math.min(READ_AHEAD, 2 * together)
        await tools.onProgress(running, problems)
        await turn()
      }
      // NOTE Chunks that have arrived and places that are known are promises that hold already: without a turn, seconds pass in which this process hears
      // nothing, releases nothing, and does not say that it lives.
      await turn()
    }
    const refused = await flush(ahead)
    if (refused !== null) return { kind: 'refused', problems: [refused] }
    await step(true)
  } finally {
    await committing // whatever ended the reading: nobody goes on before it is known how far the stream is
  }
  await tools.onProgress(running, problems)
  return { kind: 'done' }
}

function keyOf(recipient: Recipient, dedupe: 'address' | 'ref' | 'none'): string | null {
  if (dedupe === 'ref') return recipient.ref ?? null
  return normaliseAddress(recipient.address) ?? recipient.address
}
