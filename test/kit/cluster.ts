/**
 * A real cluster for a scenario test: `scripts/start.ts` as a process, with nats-server and every actor below it, on a free port and a store
 * of its own. `await using` ends it by SIGTERM and fails when a process is left.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, type NatsConnection } from 'nats'
import { stringify } from 'smol-toml'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { type SubjectName, type SubjectParams, subject } from '../../protocol/subjects.ts'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import type { Login, Logins } from '../../scripts/nats-config/accounts.ts'
import type { ClusterState } from '../../scripts/start/state-file.ts'
import { listeningLog, until } from './bus.ts'
import { isAlive, processesWith } from './processes.ts'

export interface ClusterOptions {
  /** the fleet document as it would stand in the file: an object, or TOML */
  readonly fleet: object | string
  /** default 2 */
  readonly senders?: number
  /** further HATO_* variables */
  readonly env?: Readonly<Record<string, string>>
  /** `npm`: by `npm start`, as a person does */
  readonly through?: 'node' | 'npm'
}

export type Who = 'scheduler' | 'domain-router' | 'ip-manager' | `sender-${number}` | 'nats-server' | 'supervisor'

export interface TestCluster extends AsyncDisposable {
  readonly dataDir: string
  readonly natsUrl: string
  /** a client that knows nothing of Hato, logged in as `ops` */
  readonly nats: NatsConnection
  readonly bus: Bus
  /** what `credentials.json` says of `ops`, `publisher:<tenant>`, a role */
  login(name: string): Promise<Login>
  state(): Promise<ClusterState>
  /** kills one process; resolves with its pid when it is gone */
  kill(who: Who, signal?: NodeJS.Signals): Promise<number>
  /** a supervisor again, after it was killed */
  start(): Promise<void>
  /** SIGTERM to what was started (npm, if it was npm); the exit code */
  stop(): Promise<number | null>
  /** the stream's own sequence of the publish */
  publish(tenant: string, campaign: object): Promise<number>
  ask<T>(name: SubjectName, params: Readonly<Record<string, string>>, body?: object): Promise<T>
  status(tenant: string, id: string): Promise<CampaignStatus>
  /** asks each 50 ms; fails after `withinMs` with the last answer */
  until(tenant: string, id: string, holds: (status: CampaignStatus) => boolean, withinMs?: number): Promise<CampaignStatus>
  /** what it said on stderr so far */
  said(): string
  /** processes of this cluster that live now */
  processes(): Promise<readonly { readonly pid: number; readonly command: string }[]>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const READY_WITHIN_MS = 60_000
/** A dead supervisor's children end within 5 s (design §4). */
const ORPHANS_WITHIN_MS = 6_000

export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hato-cluster-'))
  const fleetFile = join(dataDir, 'fleet.toml')
  await writeFile(fleetFile, typeof options.fleet === 'string' ? options.fleet : stringify(options.fleet))
  const env = { HATO_FLEET: fleetFile, HATO_DATA: dataDir, HATO_NATS_PORT: '0', HATO_SENDERS: String(options.senders ?? 2), ...options.env }
  const log = listeningLog()
  let said = ''
  let natsUrl = ''
  let supervisor = run(options.through ?? 'node', env, (text) => {
    said += text
  })

  await using starting = new AsyncDisposableStack()
  starting.defer(() => rm(dataDir, { recursive: true, force: true }))
  starting.defer(() => expectNothingLeft(dataDir, natsUrl))
  starting.defer(async () => void (await stopProcess(supervisor.child)))
  natsUrl = await supervisor.ready
  const login = async (name: string) => {
    const logins = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8')) as Logins
    if (logins[name] === undefined) throw new Error(`credentials.json knows nobody of the name ${name}: ${Object.keys(logins).join(', ')}`)
    return logins[name]
  }
  const ops = options.env?.HATO_NATS_URL === undefined ? await login('ops') : null // a server of the test's own asks nobody's name
  const nats = await connect({ servers: natsUrl, ...ops, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  starting.defer(() => nats.close())
  const bus = starting.use(await connectBus({ url: natsUrl, name: 'test', log, ...(ops && { credentials: ops }) }))
  const parts = starting.move()

  const state = async () => JSON.parse(await readFile(join(dataDir, 'cluster.json'), 'utf8')) as ClusterState
  const ask = async <T>(name: SubjectName, params: Readonly<Record<string, string>>, body: object = {}): Promise<T> => {
    const answer = await nats.request(subject(name, params as SubjectParams<SubjectName>), JSON.stringify(body), { timeout: 5_000 })
    return answer.json<T>()
  }
  const status = (tenant: string, id: string) => ask<CampaignStatus>('campaignStatus', { tenant, id })
  return {
    dataDir,
    natsUrl,
    nats,
    bus,
    login,
    state,
    ask,
    status,
    said: () => said,
    processes: () => processesOf(dataDir, natsUrl),
    async kill(who, signal = 'SIGKILL') {
      const pid = pidOf(await state(), who)
      process.kill(pid, signal)
      await until(`${who} (pid ${pid}) is gone`, () => !isAlive(pid))
      return pid
    },
    async start() {
      await until('the supervisor before it is gone', () => supervisor.child.exitCode !== null || supervisor.child.signalCode !== null)
      // The clients of this test know one port, so the embedded server comes back on it.
      supervisor = run(options.through ?? 'node', { ...env, HATO_NATS_PORT: new URL(natsUrl).port }, (text) => {
        said += text
      })
      await supervisor.ready
    },
    stop: () => stopProcess(supervisor.child),
    async publish(tenant, campaign) {
      const ack = await nats.request(subject('campaignJob', { tenant }), JSON.stringify(campaign), { timeout: 10_000 })
      const { seq, error } = ack.json<{ seq?: number; error?: { description: string } }>()
      if (error !== undefined || seq === undefined) throw new Error(`the publish was refused: ${error?.description}`)
      return seq
    },
    async until(tenant, id, holds, withinMs = 60_000) {
      let last: CampaignStatus | null = null
      const deadlineMs = performance.now() + withinMs
      for (;;) {
        last = await status(tenant, id).catch(() => last) // nobody answers while a scheduler or NATS is away
        if (last !== null && holds(last)) return last
        if (performance.now() > deadlineMs)
          throw new Error(`waited ${withinMs} ms for ${tenant}/${id}: ${holds}\nlast status: ${JSON.stringify(last)}\n${said.slice(-3_000)}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

function pidOf(state: ClusterState, who: Who): number {
  if (who === 'supervisor') return state.supervisor
  const pid = who === 'nats-server' ? state.nats?.pid : state.actors.find(({ role, number }) => who === role || who === `${role}-${number}`)?.pid
  if (!pid) throw new Error(`${who} has no process: ${JSON.stringify(state)}`)
  return pid
}

function run(
  through: 'node' | 'npm',
  env: Readonly<Record<string, string>>,
  hear: (text: string) => void,
): { readonly child: ChildProcess; readonly ready: Promise<string> } {
  const [program, args] = through === 'npm' ? (['npm', ['start', '--silent']] as const) : ([process.execPath, [join(ROOT, 'scripts/start.ts')]] as const)
  // vitest's own variables would reach the actors
  const { NODE_OPTIONS: _, VITEST: __, ...outer } = process.env
  const child = spawn(program, args, { cwd: ROOT, env: { ...outer, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ready = Promise.withResolvers<string>()
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    const url = /^hato ready nats=(\S+)$/m.exec(out)?.[1]
    if (url !== undefined) ready.resolve(url)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    hear(text)
  })
  const timer = setTimeout(() => ready.reject(new Error(`the cluster is not ready after ${READY_WITHIN_MS} ms:\n${err}`)), READY_WITHIN_MS)
  child.once('exit', (code, signal) => ready.reject(new Error(`the supervisor ended (${signal ?? code}) before it was ready:\n${err}`)))
  ready.promise.finally(() => clearTimeout(timer)).catch(() => {}) // whoever awaits `ready` gets the error
  return { child, ready: ready.promise }
}

async function stopProcess(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = Promise.withResolvers<void>()
    child.once('exit', () => gone.resolve())
    child.kill('SIGTERM')
    await gone.promise
  }
  return child.exitCode
}

/** nats-server has the data folder in its command line, the actors have the server's address in their environment. */
function processesOf(dataDir: string, natsUrl: string) {
  return processesWith([`${dataDir}/`, ...(natsUrl === '' ? [] : [`HATO_NATS_URL=${natsUrl}\0`])])
}

async function expectNothingLeft(dataDir: string, natsUrl: string): Promise<void> {
  const deadlineMs = performance.now() + ORPHANS_WITHIN_MS
  let left = await processesOf(dataDir, natsUrl)
  while (left.length > 0 && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    left = await processesOf(dataDir, natsUrl)
  }
  if (left.length === 0) return
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  throw new Error(`left behind by the cluster: ${left.map(({ pid, command }) => `${pid} ${command}`).join(', ')}`)
}
