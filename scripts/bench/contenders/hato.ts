/** Hato as `npm start` runs it: the supervisor's own pieces, nats-server synced, every actor a process; campaigns published as anybody would. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { decodePublic, encodeJson } from '../../../protocol/codec.ts'
import type { CampaignStatus } from '../../../protocol/messages/campaign.ts'
import { subject } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { type Cluster, startCluster } from '../../start/cluster.ts'
import type { ClusterState } from '../../start/state-file.ts'
import { openFaults } from '../../world/dns/answer.ts'
import { startDns } from '../../world/dns/server.ts'
import { openZone } from '../../world/dns/zone.ts'
import type { Cell } from '../cells.ts'
import type { Contender, Running, Surroundings, Target } from '../contender.ts'
import { DOMAINS, html, recipient, SUBJECT, TEXT } from '../mails.ts'
import { benchFleet, FROM_DOMAIN, MX, SESSIONS, TENANT } from './hato-fleet.ts'

const SENDERS = 2
const ASK_EVERY_MS = 100
const ANSWER_WITHIN_MS = 2_000
/** beyond this something is stuck */
const RUN_WITHIN_MS = 180_000

export const hato: Contender = {
  name: 'hato',
  title: 'Hato',
  version: 'this tree',
  settings: `npm start’s cluster with ${SENDERS} senders and ${SESSIONS} sessions over 4 source addresses, next envelope behind the body, the site’s limits lifted; a campaign per run, Liquid templates rendered for each recipient`,
  durability: 'campaign, batches, claims and each mail’s outcome in JetStream, every write fsynced (sync_interval: always)',
  mails: 12_000,
  warmUp: 1_500,
  measures: () => true,
  start: (surroundings) => startHato(surroundings),
}

export interface RunningHato extends Running {
  state(): ClusterState
}

/** `env`: further variables of the actors. */
export async function startHato({ target, signal }: Surroundings, env: Readonly<Record<string, string>> = {}): Promise<RunningHato> {
  await using starting = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'hato-bench-'))
  starting.defer(() => rm(dataDir, { recursive: true, force: true }))
  const dns = starting.use(await startDns({ zone: zoneOf(target), faults: openFaults(), address: '127.0.0.1', port: 0 }))
  const cluster = starting.use(
    await startCluster({
      fleet: benchFleet({ dns: `127.0.0.1:${dns.port}`, smtpPort: target.port }),
      dataDir,
      nats: { kind: 'embedded', port: 0 },
      senders: SENDERS,
      env: { ...ordinary(process.env), HATO_LOG_LEVEL: 'warn', ...env },
      say: () => {}, // ten lines at each start, which tell nothing of a benchmark
      signal,
    }),
  )
  let runs = 0
  const send = async (cell: Cell, mails: number) => {
    const id = `run-${++runs}`
    const body = encodeJson(campaign(id, cell, mails))
    const [beganMs, publishedAt] = [performance.now(), Date.now()]
    const stored = await cluster.bus.store(subject('campaignJob', { tenant: TENANT }), body)
    if (stored.kind === 'refused') throw new Error(`the publish was refused: ${stored.message}`)
    const status = await untilFinished(cluster, id, signal)
    if (status.delivered !== mails) throw new Error(`Hato finished with ${status.delivered} of ${mails} delivered: ${JSON.stringify(status)}`)
    return { beganMs, finishedMs: beganMs + Date.parse(status.finishedAt ?? '') - publishedAt }
  }
  const parts = starting.move()
  return { send, state: cluster.state, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

/** What is set for a real cluster must not reach this one. */
function ordinary(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HATO_')))
}

function zoneOf({ host }: Target) {
  return openZone([
    { name: MX, ttlS: 600, type: 'A', data: host },
    ...DOMAINS.map((name) => ({ name, ttlS: 600, type: 'MX' as const, data: { preference: 10, exchange: MX } })),
  ])
}

const campaign = (id: string, { bodyKb, dkim }: Cell, mails: number) => ({
  id,
  kind: 'notice',
  from: { name: 'Acme', address: `news@${FROM_DOMAIN[dkim]}` },
  subject: SUBJECT,
  text: TEXT,
  html: html(bodyKb),
  recipients: Array.from({ length: mails }, (_, n) => recipient(n)),
})

async function untilFinished(cluster: Cluster, id: string, signal: AbortSignal): Promise<CampaignStatus> {
  const untilMs = performance.now() + RUN_WITHIN_MS
  let last: CampaignStatus | null = null
  while (performance.now() < untilMs) {
    last = (await statusOf(cluster.bus, id)) ?? last
    if (last?.state === 'finished') return last
    if (last?.state === 'rejected') throw new Error(`Hato rejected its campaign: ${JSON.stringify(last)}`)
    await pause(ASK_EVERY_MS, undefined, { signal }) // asked more often, the scheduler would answer us instead of working
  }
  throw new Error(`Hato has not finished within ${RUN_WITHIN_MS / 1_000} s: ${JSON.stringify(last)}`)
}

async function statusOf(bus: Bus, id: string): Promise<CampaignStatus | null> {
  const answer = await bus.ask(subject('campaignStatus', { tenant: TENANT, id }), new Uint8Array(), { timeoutMs: ANSWER_WITHIN_MS })
  if (answer.kind !== 'answer') return null
  const read = decodePublic(answer.body)
  return read.kind === 'read' && typeof read.body === 'object' && read.body !== null && !('error' in read.body) ? (read.body as CampaignStatus) : null
}
