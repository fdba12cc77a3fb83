/**
 * lifecycle: how every actor starts and ends.
 *
 * OWNS       signals, exit codes, the order of starting and of letting go
 * HEARS      SIGTERM and SIGINT; the supervisor's end (its IPC channel closes)
 * SAYS       the resolved configuration once, `started`, `stopping`, `stopped`
 * INVARIANT  disposal is construction reversed: the actor lets go before its connection, the connection before the health page
 * ON CRASH   uncaught → one log line, exit 1; a configuration that cannot be → exit 78 (EX_CONFIG) before anything is connected
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { connectBus } from './bus.ts'
import type { Bus } from './bus/types.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Config, type ConfigTable, type Env, readConfig, resolvedTable } from './config.ts'
import { BadConfig } from './errors.ts'
import { type Health, startHealth } from './health.ts'
import { settleHeap } from './heap.ts'
import { createLog, LOG_LEVELS, type Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'

/** What every actor can be told, beside its own table. */
export const COMMON_CONFIG = {
  natsUrl: { env: 'HATO_NATS_URL', unit: 'url', default: 'nats://127.0.0.1:4222', why: 'where NATS is; several servers separated by commas' },
  natsUser: { env: 'HATO_NATS_USER', unit: 'text', default: null, why: 'user of this role, where the server asks for one' },
  natsPass: { env: 'HATO_NATS_PASS', unit: 'text', default: null, secret: true, why: 'its password' },
  nodeId: {
    env: 'HATO_NODE_ID',
    unit: 'text',
    default: null,
    like: /^[A-Za-z0-9_-]{1,64}$/,
    why: 'name of this process, unique for each start; a supervisor sets it so that it can free the shards of a dead child at once',
  },
  replicas: { env: 'HATO_REPLICAS', unit: 'count', default: 1, min: 1, max: 5, why: 'copies of each stream: 3 with three NATS servers' },
  livenessTtlMs: {
    env: 'HATO_LIVENESS_TTL',
    unit: 'duration',
    default: 3_000,
    min: 2_000,
    max: 60_000,
    why: 'how long a silent process keeps its shards; 12s with three replicas, whose leader change stops writes for up to 10 s',
  },
  logLevel: { env: 'HATO_LOG_LEVEL', unit: 'choice', of: LOG_LEVELS, default: 'info', why: 'least level that is logged' },
  logAddresses: { env: 'HATO_LOG_ADDRESSES', unit: 'flag', default: false, why: 'whole mail addresses in the log instead of t…@example.jp' },
  healthHost: { env: 'HATO_HEALTH_HOST', unit: 'text', default: '127.0.0.1', why: 'where /healthz, /readyz and /metrics listen' },
  healthPort: { env: 'HATO_HEALTH_PORT', unit: 'port', default: 0, why: 'their port; 0 = any free one (it is logged)' },
  stopWithinMs: {
    env: 'HATO_STOP_WITHIN',
    unit: 'duration',
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    why: 'how long a stop may take before the process ends regardless',
  },
} as const satisfies ConfigTable
type Common = Config<typeof COMMON_CONFIG>

export interface ActorContext<C> {
  readonly role: string
  readonly nodeId: string
  readonly config: C & Common
  readonly bus: Bus
  readonly log: Log
  readonly clock: Clock
  readonly metrics: Metrics
  readonly health: Health
  /** aborted when the stop begins, before the actor is disposed */
  readonly stopping: AbortSignal
}

export interface ActorPlan<T extends ConfigTable> {
  readonly role: string
  readonly config: T
  readonly env: Env
}

const EXIT = { ok: 0, crashed: 1, badConfig: 78 } as const
/** npm and terminals send the same Ctrl-C twice within milliseconds; only a later one is a person's second wish. */
const SECOND_WISH_AFTER_MS = 1_000
/** When the supervisor is gone, its children are gone within 5 s (design §4). */
const ORPHAN_STOP_MS = 4_000

/** The whole life of an actor's process; returns never. `start` resolves with what must be let go at the end. */
export async function runActor<const T extends ConfigTable>(
  plan: ActorPlan<T>,
  start: (context: ActorContext<Config<T>>) => Promise<AsyncDisposable>,
): Promise<never> {
  settleHeap(plan.role, plan.env)
  const config = readOrExit(plan)
  const nodeId =
    config.nodeId ??
    `${hostname()
      .replaceAll(/[^A-Za-z0-9_-]/g, '-')
      .slice(0, 24)}-${process.pid}-${randomUUID().slice(0, 8)}`
  const log = createLog({ level: config.logLevel, fields: { role: plan.role, node: nodeId }, addresses: config.logAddresses })
  log.info('configured', resolvedTable({ ...COMMON_CONFIG, ...plan.config }, config))

  const stopping = new AbortController()
  const stop = Promise.withResolvers<{ because: string; withinMs: number }>()
  dieOnBugs(log)
  onSignals(log, (because) => stop.resolve({ because, withinMs: config.stopWithinMs }))
  if (process.connected) process.once('disconnect', () => stop.resolve({ because: 'supervisor-gone', withinMs: ORPHAN_STOP_MS }))
  void stop.promise.then(({ because, withinMs }) => {
    log.info('stopping', { because, withinMs })
    setTimeout(() => {
      log.error('stop-cut-short', { withinMs })
      process.exit(EXIT.crashed)
    }, withinMs).unref()
    stopping.abort(because)
  })

  try {
    await using stack = new AsyncDisposableStack()
    const metrics = createMetrics({ role: plan.role, node: nodeId })
    const health = stack.use(await startHealth({ host: config.healthHost, port: config.healthPort, metrics }))
    let started = false
    health.gate(() => (started ? [] : ['starting']))
    const credentials = config.natsUser === null ? {} : { credentials: { user: config.natsUser, pass: config.natsPass ?? '' } }
    const bus = stack.use(await connectBus({ url: config.natsUrl, name: `${plan.role} ${nodeId}`, log, signal: stopping.signal, ...credentials }))
    health.gate(() => (bus.connected ? [] : ['no connection to NATS']))
    void bus.closed.then((error) => {
      if (!stopping.signal.aborted) stop.resolve({ because: `connection-closed: ${error}`, withinMs: ORPHAN_STOP_MS })
    })
    const context = { role: plan.role, nodeId, config, bus, log, clock: systemClock, metrics, health, stopping: stopping.signal }
    // An actor may wait in its start for what others bring (a fleet document): a stop does not wait with it. What it had begun ends with the process.
    const actor = await Promise.race([start(context), stop.promise.then(() => null)])
    if (actor !== null) {
      stack.use(actor)
      started = true
      log.info('started', { health: `http://${health.host}:${health.port}` })
      process.send?.({ kind: 'started', role: plan.role, nodeId, health: `http://${health.host}:${health.port}` })
      await stop.promise
    }
    health.gate(() => ['stopping'])
  } catch (error) {
    if (error instanceof BadConfig) return badConfig(error)
    if (!stopping.signal.aborted) {
      log.error('crashed', { error })
      process.exit(EXIT.crashed)
    }
    log.warn('stopped-badly', { error })
  }
  log.info('stopped')
  process.exit(EXIT.ok)
}

function readOrExit<T extends ConfigTable>(plan: ActorPlan<T>): Config<T> & Common {
  try {
    return readConfig({ ...COMMON_CONFIG, ...plan.config }, plan.env) as unknown as Config<T> & Common
  } catch (error) {
    if (error instanceof BadConfig) return badConfig(error)
    throw error
  }
}

function badConfig(error: BadConfig): never {
  process.stderr.write(`${error.message}\n`)
  process.exit(EXIT.badConfig)
}

function onSignals(log: Log, stop: (because: string) => void): void {
  let firstMs: number | null = null
  const hear = (signal: string) => {
    const now = systemClock.mono()
    if (firstMs !== null && now - firstMs > SECOND_WISH_AFTER_MS) {
      log.warn('stop-cut-short', { because: `second ${signal}` })
      process.exit(EXIT.crashed)
    }
    firstMs ??= now
    stop(signal)
  }
  process.on('SIGTERM', () => hear('SIGTERM'))
  process.on('SIGINT', () => hear('SIGINT'))
}

/** A bug leaves a state nobody reasoned about: say it, end, let the supervisor start a clean process. */
function dieOnBugs(log: Log): void {
  const die = (kind: string) => (error: unknown) => {
    log.error('crashed', { kind, error })
    process.exit(EXIT.crashed)
  }
  process.on('uncaughtException', die('uncaught exception'))
  process.on('unhandledRejection', die('unhandled rejection'))
}
