/**
 * A long list: it is told how far it has been read, every line is accounted for, the first mails go out while the rest is still read. Small here;
 * TEST_LIST_LINES=1000000 reads the million with 30,000 domains and says what every process held at a tenth and at the end.
 */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import type { CampaignEvent } from '../../protocol/messages/campaign.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { startCluster, type TestCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { type LongList, longList, piecesOf, recordsOf } from '../kit/long-list.ts'
import { startSinks } from '../kit/sinks.ts'
import { account, breachOf, tallyOutcomes } from '../kit/tally.ts'

const MILLION = 1_000_000
/** a shorter one may be read before anybody asks */
const READ_AT_ONCE = 10_000
const SIZES = process.env.TEST_LIST_LINES === undefined ? { ndjson: 64_000, csv: 4_000 } : { ndjson: Number(process.env.TEST_LIST_LINES) }
/** so that a small machine reads while it sends, and most is still waiting when all is read */
const RATE = 200
const SINKS = 4
const FIRST_WITHIN_MS = 2_000

it.for(Object.entries(SIZES) as ['ndjson' | 'csv', number][])('reads a list of %s to its end, %i lines', { timeout: 900_000 }, async ([format, lines]) => {
  await using sinks = await startSinks(SINKS)
  const list = longList(lines, Math.round((lines * 3) / 100), format)
  sinks.publish(recordsOf(list, sinks.address, SINKS))
  await using cluster = await startCluster({ senders: 2, fleet: loopbackFleet(sinks, { ips: 4 }) })
  const name = `lists/acme/long.${format}`
  await openObjects(cluster.bus, OBJECT_BUCKET).put(name, piecesOf(list))

  const told = watch(cluster)
  const published = performance.now()
  await cluster.publish('acme', { ...noticeTo('long', []), recipients: undefined, recipientsObject: name, dedupe: 'address', rate: RATE })
  const first = await cluster.until('acme', 'long', ({ startedAt }) => typeof startedAt === 'string', 30_000)
  const firstMs = performance.now() - published
  if (lines > READ_AT_ONCE) expect(first.recipients, 'the rest is still read').toBeLessThan(list.recipients)
  const resident: { read: number; octets: ReadonlyMap<string, number> }[] = []
  const read = await cluster.until(
    'acme',
    'long',
    (status) => {
      expect(breachOf(status)).toBe(null)
      void residentOf(cluster).then((octets) => resident.push({ read: status.listRead, octets }))
      return status.state === 'running' || status.state === 'finished'
    },
    600_000,
  )
  const readMs = performance.now() - published
  console.log(report(list, resident, firstMs, readMs))
  expect(read).toMatchObject({ listRead: lines, recipients: list.recipients, unusable: list.unusable, duplicates: list.duplicates })
  expect(firstMs).toBeLessThan(FIRST_WITHIN_MS)
  if (lines >= MILLION) return // to end a million takes minutes, and says what the small list says

  // Pausing and cancelling act at the release: what was not released is ended without a mail.
  await cluster.ask('campaignControl', { tenant: 'acme', id: 'long' }, { action: 'cancel' })
  const end = await cluster.until('acme', 'long', ({ state }) => state === 'cancelled' || state === 'finished', 300_000)
  expect(end).toMatchObject({ waiting: 0, recipients: list.recipients, delivered: list.recipients - end.cancelled })
  const events = await told
  const progress = events.filter(({ type }) => type === 'progress')
  expect(progress.length, 'progress is told').toBeGreaterThanOrEqual(lines > READ_AT_ONCE ? 2 : 1)
  expect(progress.at(-1)).toMatchObject({ listRead: lines, recipients: list.recipients, unusable: list.unusable, duplicates: list.duplicates })
  expect(events.at(-1)).toMatchObject({ recipients: list.recipients, unusable: list.unusable, duplicates: list.duplicates })
  const problems = events.flatMap(({ problems: some }) => some)
  expect(problems.map(({ path }) => path)).toContain(format === 'csv' ? 'line 51 address' : 'line 50 address')
  const tally = await tallyOutcomes(cluster.bus, 'acme', 'long')
  expect(tally.endedTwice).toEqual([])
  expect(account([...tally.endOf.keys()], tally, await sinks.stored())).toMatchObject({ lost: [], doubled: [], unaccounted: [], unpublished: [] })
  expect(tally.endOf.size).toBe(list.recipients)
})

/** All events of the campaign until it has ended. */
async function watch(cluster: TestCluster): Promise<CampaignEvent[]> {
  const events: CampaignEvent[] = []
  for await (const { body } of cluster.bus.follow(STREAM.events, [subject('campaignEvent', { tenant: 'acme', id: 'long' })])) {
    const event = JSON.parse(new TextDecoder().decode(body)) as CampaignEvent
    events.push(event)
    if (event.type === 'finished' || event.type === 'cancelled' || event.type === 'rejected') break
  }
  return events
}

/** Resident octets by process. */
async function residentOf(cluster: TestCluster): Promise<ReadonlyMap<string, number>> {
  const { actors, nats } = await cluster.state()
  const pids = [...actors.map(({ role, number, pid }) => [`${role}-${number}`, pid] as const), ['nats-server', nats?.pid ?? null] as const]
  const sizes = await Promise.all(
    pids.map(async ([who, pid]) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      return [who, Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024] as const
    }),
  )
  return new Map(sizes)
}

type Resident = readonly { readonly read: number; readonly octets: ReadonlyMap<string, number> }[]

function report({ lines, recipients, domains, format }: LongList, resident: Resident, firstMs: number, readMs: number): string {
  const megabytes = (at: Resident[number] | undefined) => [...(at?.octets ?? [])].map(([who, octets]) => `${who} ${Math.round(octets / 1e6)}`).join(', ')
  const tenth = resident.find(({ read }) => read >= lines / 10)
  return (
    `${format}: ${lines} lines, ${recipients} recipients, ${domains} domains: first order after ${Math.round(firstMs)} ms, read in ${(readMs / 1_000).toFixed(1)} s, ` +
    `${Math.round((recipients / readMs) * 1_000)} recipients/s\nMB resident at ${tenth?.read}: ${megabytes(tenth)}\nMB resident at ${resident.at(-1)?.read}: ${megabytes(resident.at(-1))}`
  )
}
