/**
 * cluster: the supervisor. Starts NATS and every actor, keeps them running, ends them in order.
 *
 * OWNS       the processes; `<data>/cluster.json`, which says who runs where (for people, `hato doctor` and tests)
 * SAYS       what it waits for, deaths, the way down: one line each, to `say`
 * INVARIANT  when it is disposed, or its process dies however, no process of it is left after 5 s
 * NOT HERE   signals, exit codes, reading of files (scripts/start.ts)
 */
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { BUCKETS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import type { Fleet } from '../../protocol/fleet.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { BadConfig, Infrastructure } from '../../services/runtime/errors.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { purgeNode } from '../../services/runtime/liveness.ts'
import { SCHEDULER_CONFIG } from '../../services/scheduler/config.ts'
import { SENDER_CONFIG } from '../../services/sender/config.ts'
import { accountsOf, type Login } from '../nats-config/accounts.ts'
import { type Keyring, openKeyring } from '../nats-config/keyring.ts'
import { STEP_BATCHES } from '../nats-config/server.ts'
import { startAdmission } from './admission.ts'
import { type ActorChild, startActor } from './actor-child.ts'
import { lockDataDir } from './data-lock.ts'
import { type EmbeddedNats, startEmbeddedNats } from './embedded-nats.ts'
import { applyFleet, fleetInForce } from './fleet-apply.ts'
import { waitForNats } from './nats-probe.ts'
import { ACTOR_ROLES, type ActorRole, actorEnv } from './roles.ts'
import { sayingLog } from './saying-log.ts'
import { type ClusterState, stateFile } from './state-file.ts'

export interface ClusterPlan {
  /** null: the one that is in force already */
  readonly fleet: Fleet | null
  readonly dataDir: string
  readonly nats:
    | { readonly kind: 'embedded' /** 0 = a free one */; readonly port: number }
    | { readonly kind: 'given'; readonly url: string; readonly credentials?: { readonly user: string; readonly pass: string } }
  readonly senders: number
  readonly replicas?: number
  /** handed on to the actors, each gets what it knows */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  /** gives up starting; what has started is ended */
  readonly signal: AbortSignal
}

export interface Cluster extends AsyncDisposable {
  readonly natsUrl: string
  readonly bus: Bus
  /** who runs where now */
  state(): ClusterState
  /** resolves when an actor turns out not to be configurable after all */
  readonly broken: Promise<BadConfig>
}

/** Senders finish what is in hand, up to a dot's reply; whoever is slower than this is killed. */
const STOP_WITHIN_MS = 35_000
const SAY_WAITING_EVERY_MS = 5_000
/** First those that make work, last those that the others report to. */
const WAY_DOWN: readonly (readonly ActorRole[])[] = [['scheduler', 'sender'], ['domain-router'], ['ip-manager']]

/** Resolves when the cluster takes campaigns. Throws BadConfig when it never will. */
export async function startCluster(plan: ClusterPlan): Promise<Cluster> {
  const { say } = plan
  const dataDir = resolve(plan.dataDir)
  const logDir = join(dataDir, 'logs')
  const broken = Promise.withResolvers<BadConfig>()
  const actors: ActorChild[] = []
  let embedded: EmbeddedNats | null = null
  let keyring: Keyring | null = null
  let natsUrl = plan.nats.kind === 'given' ? plan.nats.url : ''

  await using starting = new AsyncDisposableStack()
  starting.use(await lockDataDir(dataDir))
  await mkdir(logDir, { recursive: true })
  const state = (): ClusterState => ({
    supervisor: process.pid,
    natsUrl,
    nats: embedded === null ? null : { pid: embedded.kept.pid, lives: embedded.kept.lives },
    actors: actors.map(actorState),
  })
  const file = starting.use(stateFile(join(dataDir, 'cluster.json'), state, say))

  if (plan.nats.kind === 'embedded') {
    const keys = await openKeyring(dataDir)
    keyring = keys
    // Who leaves loses his password only when the fleet without him is in force.
    keys.admit([...new Set([...keys.tenants(), ...(plan.fleet?.tenant ?? []).map(({ name }) => name)])])
    await keys.save()
    const accounts = (maxFileBytes: number) => accountsOf({ tenants: keys.tenants(), logins: keys.logins(), maxFileBytes })
    embedded = starting.use(await startEmbeddedNats({ dataDir, accounts, port: plan.nats.port, say, signal: plan.signal, onChange: file.changed }))
    natsUrl = embedded.url
    say(`nats-server ${embedded.version} listens on ${natsUrl}, its store is ${join(dataDir, 'nats/store')}, users and passwords stand in ${keyring.file}`)
  } else {
    const { version } = await waitForNats(natsUrl, { say, signal: plan.signal })
    say(`using the NATS server at ${natsUrl}, version ${version}`)
  }
  const login = plan.nats.kind === 'given' ? plan.nats.credentials : keyring?.supervisor
  const credentials = login ? { credentials: login } : {}
  const bus = starting.use(await connectBus({ url: natsUrl, name: 'supervisor', log: sayingLog(say), signal: plan.signal, ...credentials }))
  const replicas = plan.replicas ?? 1
  await bus.ensureStreams(STREAMS, { replicas })
  await bus.ensureBuckets(BUCKETS, { replicas })
  await bus.ensureObjectBucket(OBJECT_BUCKET, { replicas })
  if (plan.fleet === null) await insistOnFleet(bus, say)

  const purge = purger(bus, say)
  starting.defer(() => endActors(actors, say))
  for (const role of ACTOR_ROLES) {
    for (let number = 1; number <= (role === 'sender' ? plan.senders : 1); number++) {
      const env = {
        ...(role === 'sender' && signOn(plan.senders)),
        ...(role === 'scheduler' && embedded !== null && { [SCHEDULER_CONFIG.stepBatches.env]: String(STEP_BATCHES) }),
        ...actorEnv(role, plan.env),
        HATO_NATS_URL: natsUrl,
        ...(keyring && loginEnv(keyring.of(role))),
      }
      actors.push(await startActor({ role, number, env, logDir, say, purge, onChange: file.changed, onBadConfig: broken.resolve }))
    }
  }
  await unlessBroken(takesCampaigns(plan, bus, actors, say), broken.promise, plan.signal)
  if (embedded !== null && keyring !== null) starting.use(await startAdmission({ bus, nats: embedded, keyring, say, signal: plan.signal }))

  const parts = starting.move()
  return { natsUrl, bus, state, broken: broken.promise, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

/** The fleet is in force and every role has started. Senders wait for a fleet, so that comes first. */
async function takesCampaigns({ fleet, signal }: ClusterPlan, bus: Bus, actors: readonly ActorChild[], say: (line: string) => void): Promise<void> {
  const waiting = new Set(actors)
  const timer = setInterval(() => say(`still starting: ${[...waiting].map(({ kept }) => kept.name).join(', ')}`), SAY_WAITING_EVERY_MS)
  try {
    const all = actors.map((actor) => actor.started.then(() => waiting.delete(actor)))
    if (fleet !== null) {
      const { revision } = await applyFleet(bus, fleet, signal)
      say(`fleet revision ${revision} is in force: ${counted('IP', fleet.ip)}, ${counted('pool', fleet.pool)}, ${counted('tenant', fleet.tenant)}`)
    }
    await Promise.all(all)
  } finally {
    clearInterval(timer)
  }
}

/** With a sender per core no core is left to hand a signature over to. */
function signOn(senders: number) {
  return senders >= availableParallelism() ? { [SENDER_CONFIG.signOn.env]: 'loop' } : {}
}

function loginEnv({ user, pass }: Login) {
  return { HATO_NATS_USER: user, HATO_NATS_PASS: pass }
}

function counted(word: string, rows: readonly unknown[]): string {
  return `${rows.length} ${word}${rows.length === 1 ? '' : 's'}`
}

async function insistOnFleet(bus: Bus, say: (line: string) => void): Promise<void> {
  const inForce = await fleetInForce(bus)
  if (inForce === null)
    throw new BadConfig('there is no fleet yet: set HATO_FLEET to the path of a fleet file (who may send, from which IPs, with which DKIM keys)')
  say(`HATO_FLEET is not set; fleet revision ${inForce.revision} of ${inForce.appliedAt} stays in force`)
}

async function unlessBroken(work: Promise<void>, broken: Promise<BadConfig>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const throwing = broken.then((error) => {
    throw error
  })
  try {
    await Promise.race([work, throwing, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    for (const loser of [work, throwing]) loser.catch(() => {}) // it lost the race: the winner's error is the one that is told
  }
}

/** NATS may be what died: then the key goes by its TTL, 3 s later. */
function purger(bus: Bus, say: (line: string) => void) {
  const owners = openBucket(bus, 'owners')
  return async (role: ActorRole, nodeId: string) => {
    try {
      await purgeNode(owners, role, nodeId)
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      say(`the node key of ${nodeId} could not be purged (${error.message}); it goes by itself`)
    }
  }
}

async function endActors(actors: readonly ActorChild[], say: (line: string) => void): Promise<void> {
  for (const roles of WAY_DOWN) {
    await Promise.all(
      actors
        .filter(({ role }) => roles.includes(role))
        .map(async ({ kept }) => {
          if ((await kept.end(STOP_WITHIN_MS)) === 'killed') say(`${kept.name} had not ended after ${STOP_WITHIN_MS / 1_000} s and was killed`)
        }),
    )
  }
}

function actorState({ role, number, kept, nodeId, health }: ActorChild): ClusterState['actors'][number] {
  return { role, number, pid: kept.pid, lives: kept.lives, nodeId, health }
}
