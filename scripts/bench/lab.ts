/** A cluster for measuring: the supervisor's own pieces, nats-server synced, every actor a process, a DNS of its own; campaigns published as anybody would. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import type { Fleet } from '../../protocol/fleet.ts'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { type Cluster, startCluster } from '../start/cluster.ts'
import { openFaults } from '../world/dns/answer.ts'
import { startDns } from '../world/dns/server.ts'
import { openZone, type ZoneRecord } from '../world/dns/zone.ts'

/** Asked more often, the scheduler would answer us instead of working: of a long run at most a twentieth later than it was true. */
const ASK_EVERY_MS = 100
const ASK_SELDOM_MS = 1_000
const ANSWER_WITHIN_MS = 2_000

export interface LabPlan {
  readonly zone: readonly ZoneRecord[]
  /** @param dns where the zone is served, `address:port` */
  readonly fleet: (dns: string) => Fleet
  readonly senders: number
  /** further variables of the actors */
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface Lab extends AsyncDisposable {
  readonly cluster: Cluster
  /** Publishes a job and waits until it is `finished`; its times by performance.now(). */
  send(
    tenant: string,
    job: { readonly id: string },
    withinMs: number,
  ): Promise<{ readonly beganMs: number; readonly finishedMs: number; readonly status: CampaignStatus }>
}

export async function startLab({ zone, fleet, senders, env = {}, signal }: LabPlan): Promise<Lab> {
  await using starting = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'hato-bench-'))
  starting.defer(() => rm(dataDir, { recursive: true, force: true }))
  const dns = starting.use(await startDns({ zone: openZone(zone), faults: openFaults(), address: '127.0.0.1', port: 0 }))
  const cluster = starting.use(
    await startCluster({
      fleet: fleet(`127.0.0.1:${dns.port}`),
      dataDir,
      nats: { kind: 'embedded', port: 0 },
      senders,
      env: { ...ordinary(process.env), HATO_LOG_LEVEL: 'warn', ...env },
      say: () => {}, // ten lines at each start, which tell nothing of a benchmark
      signal,
    }),
  )
  const parts = starting.move()
  return {
    cluster,
    async send(tenant, job, withinMs) {
      const [beganMs, publishedAt] = [performance.now(), Date.now()]
      await publish(cluster.bus, tenant, job)
      const status = await untilStatus(cluster.bus, { tenant, id: job.id }, ({ state }) => state === 'finished', { withinMs, signal })
      return { beganMs, finishedMs: beganMs + Date.parse(status.finishedAt ?? '') - publishedAt, status }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

export async function publish(bus: Bus, tenant: string, job: object): Promise<void> {
  const stored = await bus.store(subject('campaignJob', { tenant }), encodeJson(job))
  if (stored.kind === 'refused') throw new Error(`the publish was refused: ${stored.message}`)
}

/** @throws when the campaign is rejected, or `is` is not true of it in time */
export async function untilStatus(
  bus: Bus,
  campaign: { readonly tenant: string; readonly id: string },
  is: (status: CampaignStatus) => boolean,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<CampaignStatus> {
  const beganMs = performance.now()
  const untilMs = beganMs + withinMs
  let last: CampaignStatus | null = null
  while (performance.now() < untilMs) {
    last = (await statusOf(bus, campaign)) ?? last
    if (last !== null && is(last)) return last
    if (last?.state === 'rejected') throw new Error(`Hato rejected its campaign: ${JSON.stringify(last)}`)
    await pause(Math.min(ASK_SELDOM_MS, Math.max(ASK_EVERY_MS, (performance.now() - beganMs) / 20)), undefined, { signal })
  }
  throw new Error(`Hato was not there within ${withinMs / 1_000} s: ${JSON.stringify(last)}`)
}

async function statusOf(bus: Bus, campaign: { readonly tenant: string; readonly id: string }): Promise<CampaignStatus | null> {
  const answer = await bus.ask(subject('campaignStatus', campaign), new Uint8Array(), { timeoutMs: ANSWER_WITHIN_MS })
  if (answer.kind !== 'answer') return null
  const read = decodePublic(answer.body)
  return read.kind === 'read' && typeof read.body === 'object' && read.body !== null && !('error' in read.body) ? (read.body as CampaignStatus) : null
}

/** What is set for a real cluster must not reach this one. */
function ordinary(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HATO_')))
}
