import { setTimeout as pause } from 'node:timers/promises'
import { encodeJson } from '../../protocol/codec.ts'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { type Cluster, startCluster } from '../start/cluster.ts'
import type { StopWish } from '../start/stop-wish.ts'
import type { DemoArgs } from './args.ts'
import { type DemoCampaign, demoCampaigns } from './campaigns.ts'
import type { Display } from './display.ts'
import { demoFleet, TENANT } from './fleet.ts'
import { openProgress, type Progress } from './progress.ts'
import { closingLine, failures, type Reckoning, summaryLines } from './reckoning.ts'
import { number } from './table.ts'
import { type Watch, watchDemo } from './watch.ts'
import { type PublishedList, startWorldProcess, type WorldProcess } from './world-process.ts'

export interface DemoSurroundings {
  readonly dataDir: string
  readonly display: Display
  readonly wish: StopWish
}

const FRAME_MS = 200
/** Beyond this something is stuck, and the summary says what. */
const LIMIT_MS = 240_000
/** Share of the bulk that is settled when the urgent campaign comes. */
const URGENT_AT = 0.3

/** Resolves with the exit code. */
export async function runDemo(args: DemoArgs, { dataDir, display, wish }: DemoSurroundings): Promise<number> {
  const { say } = display
  say('starting the simulated internet: DNS, Google-, Yahoo-, Outlook-, docomo- and Orange-like ISPs, 300 small domains on 30 hosts')
  await using world = await startWorldProcess(['--enforce', 'google', '--seed', String(args.seed), ...(args.plant === null ? [] : ['--plant', args.plant])])
  const { fleet, facts } = await demoFleet(world)
  await world.publishSenderRecords(facts)
  say(`starting nats-server, scheduler, domain-router, ip-manager and ${args.senders} senders`)
  await using cluster = await startCluster({
    fleet,
    dataDir,
    nats: { kind: 'embedded', port: 0 },
    senders: args.senders,
    env: ordinary(process.env),
    say: (line) => say(`  ${line}`),
    signal: wish.signal,
  })
  const broken = Promise.race([world.died, cluster.broken]).then((error) => {
    throw error
  })
  broken.catch(() => {}) // looked at below; until then it must not count as unhandled
  const reckoning = await Promise.race([sendAndReckon(args, { cluster, world, display, wish }), broken])
  const wrong = failures(reckoning)
  const { paint } = display
  for (const line of summaryLines(reckoning, paint)) say(line)
  for (const line of wrong) say(paint.bad(line))
  if (args.afterwards === 'keep') await linger(display, { natsUrl: cluster.natsUrl, dataDir }, world, wish)
  const closing = closingLine(reckoning)
  say(wrong.length === 0 ? paint.good(closing) : paint.bad(closing))
  if (args.output === 'json') process.stdout.write(`${JSON.stringify(asJson(reckoning, wrong))}\n`)
  return wrong.length === 0 ? 0 : 1
}

/** What is set for a real cluster must not reach this one. */
function ordinary(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HATO_')))
}

interface Running {
  readonly cluster: Cluster
  readonly world: WorldProcess
  readonly display: Display
  readonly wish: StopWish
}

async function sendAndReckon(args: DemoArgs, { cluster, world, display, wish }: Running): Promise<Reckoning> {
  const { bulk, urgent } = demoCampaigns(args.recipients, args.seed)
  const campaigns = [bulk, urgent]
  const progress = openProgress()
  const beganMs = performance.now()
  using watch = watchDemo(cluster.bus, world, progress, beganMs)
  display.say(`publishing ${bulk.id}: ${number(bulk.recipients.length)} recipients`)
  await publish(cluster.bus, bulk, progress)
  await drawUntil(watch, display, wish, [bulk.id], () => progress.settled >= bulk.recipients.length * URGENT_AT)
  await publish(cluster.bus, urgent, progress)
  // Both tell the same in the end; which of them tells it first does not matter.
  const over = (statuses: readonly CampaignStatus[]) =>
    progress.settled === progress.total || (statuses.length === campaigns.length && statuses.every(({ state }) => state === 'finished'))
  await drawUntil(watch, display, wish, [bulk.id, urgent.id], over)
  const tookMs = performance.now() - beganMs
  const statuses = await finished(watch, campaigns, wish)
  const verdict = await world.verdict(campaigns.map((campaign) => publishedList(campaign, progress)))
  const [record, { isps }] = await Promise.all([world.record(), world.isps()])
  const unconfirmed = await Promise.all(
    unconfirmedOf(campaigns, progress).map(async (one) => ({ ...one, arrivals: await world.arrivals(one.recipient.address) })),
  )
  return { campaigns, statuses, verdict, record, isps, progress, unconfirmed, plant: args.plant, tookMs }
}

/**
 * What the far end must have: all that Hato says it delivered, and all that the world meant to take. A mail whose last dot got no reply may be there or
 * not, and a newsletter is not sent twice for it (delivery.md §4): it is asked for one by one.
 */
function publishedList({ id, recipients }: DemoCampaign, progress: Progress): PublishedList {
  const ends = [...(progress.ends.get(id) ?? [])]
  const unconfirmed = ends.filter(([, end]) => end.unconfirmed === true).map(([address]) => address)
  const claimed = ends.filter(([, end]) => end.outcome === 'delivered' && end.unconfirmed !== true).map(([address]) => address)
  return { campaign: id, addresses: recipients.map(({ address }) => address), claimed, excused: unconfirmed }
}

function unconfirmedOf(campaigns: readonly DemoCampaign[], { ends }: Progress) {
  return campaigns.flatMap(({ id, recipients }) =>
    recipients.filter(({ address }) => ends.get(id)?.get(address)?.unconfirmed === true).map((recipient) => ({ campaign: id, recipient })),
  )
}

async function publish(bus: Bus, campaign: DemoCampaign, progress: Progress): Promise<void> {
  progress.published(campaign, Date.now())
  const stored = await bus.store(subject('campaignJob', { tenant: TENANT }), encodeJson(campaign.body))
  if (stored.kind === 'refused') throw new Error(`the publish of ${campaign.id} was refused: ${stored.message}`)
}

/** A frame each FRAME_MS, until it holds, a campaign is refused, or the time is over. */
async function drawUntil(
  watch: Watch,
  display: Display,
  wish: StopWish,
  ids: readonly string[],
  holds: (statuses: readonly CampaignStatus[]) => boolean,
): Promise<void> {
  const untilMs = performance.now() + LIMIT_MS
  while (performance.now() < untilMs) {
    wish.signal.throwIfAborted()
    const statuses = await watch.ask(ids)
    display.show(watch.view())
    if (holds(statuses)) return
    for (const { id, state } of statuses) if (state === 'rejected' || state === 'cancelled') throw new Error(`${id} was ${state}: npx hato events tells why`)
    await pause(FRAME_MS, undefined, { signal: wish.signal })
  }
}

/** The scheduler counts a moment behind the journal, and so do we. */
async function finished(watch: Watch, campaigns: readonly DemoCampaign[], wish: StopWish) {
  const ids = campaigns.map(({ id }) => id)
  const untilMs = performance.now() + 5_000
  for (;;) {
    const statuses = await watch.ask(ids)
    if (performance.now() > untilMs || (statuses.length === ids.length && statuses.every(({ state }) => state === 'finished'))) return statuses
    await pause(FRAME_MS / 2, undefined, { signal: wish.signal })
  }
}

async function linger(
  { say }: Display,
  { natsUrl, dataDir }: { readonly natsUrl: string; readonly dataDir: string },
  world: WorldProcess,
  wish: StopWish,
): Promise<void> {
  say('')
  say('It keeps running; Ctrl-C ends it. In another terminal:')
  say(`  export HATO_DATA=${dataDir}`)
  say('  npx hato status acme/spring-2026        counts, and what is waited for')
  say('  npx hato ip                             modes, scores and counts of every source IP')
  say('  npx hato isp                            what each ISP bears right now')
  say('  npx hato events --tenant acme --follow  what happens, as it happens')
  say(`  curl ${world.control}/isps   what the simulated ISPs have seen`)
  say(`Any NATS client: ${natsUrl}, as "ops" or "publisher:${TENANT}" of ${dataDir}/credentials.json`)
  say('')
  await wish.heard
}

function asJson({ campaigns, statuses, verdict, isps, progress, tookMs }: Reckoning, wrong: readonly string[]): object {
  return {
    published: campaigns.reduce((sum, { recipients }) => sum + recipients.length, 0),
    ...verdict,
    ok: wrong.length === 0,
    problems: wrong,
    tookMs: Math.round(tookMs),
    urgentMs: progress.urgentMs,
    campaigns: statuses,
    isps: isps.map((one) => ({ ...one, ...progress.isps.get(one.isp) })),
  }
}
