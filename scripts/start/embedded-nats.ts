/**
 * embedded-nats: the cluster's own nats-server, synced to the disk, on loopback.
 *
 * OWNS       the process, its configuration (mode 600: it holds every password) and store below `<data>/nats`
 * INVARIANT  it ends with this process, whatever ends this process (GUARD)
 * ON CRASH   started again on the same port and store; everybody reconnects by himself
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { BadConfig } from '../../services/runtime/errors.ts'
import { roomFor } from '../nats-config/room.ts'
import { serverConfig } from '../nats-config/server.ts'
import { type Kept, keep } from './kept.ts'
import { findNatsServer } from './nats-program.ts'
import { waitForNats } from './nats-probe.ts'
import { freePort, isFree, portHolder } from './port-holder.ts'

export interface EmbeddedNats extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly version: string
  readonly kept: Kept
  /** the accounts have changed: says so to the server, whose connections stay. NOTE: it takes a moment, and nobody tells when it is done */
  reload(): Promise<void>
}

export interface EmbeddedNatsOptions {
  readonly dataDir: string
  /** who may come in (scripts/nats-config), given what the store may take of the disk */
  readonly accounts: (maxFileBytes: number) => object
  /** 0 = any free one */
  readonly port: number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
  readonly onChange: () => void
}

/** The port is somebody else's: nothing in the configuration is wrong, so it is not exit 78 (sysexits: EX_UNAVAILABLE). */
export class PortBusy extends BadConfig {
  readonly exitCode = 69
}

const HOST = '127.0.0.1'
const STOP_WITHIN_MS = 10_000
/** GUARD's 4 s, and one more. */
const PREDECESSOR_MS = 5_000

/**
 * nats-server hears of nobody's death. So a shell waits on a pipe whose other end only this process holds, and becomes nats-server itself:
 * `$$` is its process id. A line means "all is well, it has ended"; the end of the pipe without one means that we are gone. The actors get
 * 3 s to write their last outcomes, which is well within the 5 s that a dead supervisor's children have.
 */
const GUARD = '(read -r word <&3 || { sleep 3; kill -TERM $$; sleep 1; kill -KILL $$; }) 2>/dev/null & exec 3<&-; exec "$@"'

export async function startEmbeddedNats(options: EmbeddedNatsOptions): Promise<EmbeddedNats> {
  const { say, signal } = options
  const program = await findNatsServer()
  await outwaitPredecessor(options.dataDir, say)
  const port = options.port === 0 ? await freePort(HOST) : options.port
  if (!(await isFree(HOST, port))) throw await busy(port)
  const store = join(options.dataDir, 'nats/store')
  await mkdir(store, { recursive: true })
  await mkdir(join(options.dataDir, 'logs'), { recursive: true })
  const maxFileBytes = await roomFor(store)
  const file = configFile(options.dataDir)
  const files = { store, log: join(options.dataDir, 'logs/nats-server.log'), pid: pidFile(options.dataDir) }
  const configure = () => writePrivately(file, serverConfig({ host: HOST, port, ...files, maxFileBytes, accounts: options.accounts(maxFileBytes) }))
  await configure()
  const url = `nats://${HOST}:${port}`
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {}) // it matters only while we wait for the first start

  const guards = new WeakMap<ChildProcess, NodeJS.WritableStream>()
  let up = false
  const kept = keep({
    name: 'nats-server',
    spawn: () => {
      const child = spawn('/bin/sh', ['-c', GUARD, 'nats-server', program.path, '-c', file], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true })
      const guard = child.stdio[3] as NodeJS.WritableStream
      guard.on('error', () => {}) // the guard has ended before us
      guards.set(child, guard)
      child.once('exit', () => guard.end('\n'))
      return child
    },
    onStart: options.onChange,
    async onDeath({ code, signal: by }, pauseMs) {
      options.onChange()
      if (!up) {
        broken.reject(new BadConfig(`nats-server ended (${by ?? `exit ${code}`}) before it was ready, see ${join(options.dataDir, 'logs/nats-server.log')}`))
        return 'give-up'
      }
      say(`nats-server ended (${by ?? `exit ${code}`}), starting it again in ${pauseMs} ms`)
      return 'restart'
    },
  })
  try {
    await Promise.race([waitForNats(url, { say, signal }), broken.promise])
  } catch (error) {
    await kept.end(STOP_WITHIN_MS)
    throw error
  }
  up = true
  const reload = async () => {
    await configure()
    kept.signal('SIGHUP') // between two lives it reads the file anyway
  }
  return { url, port, version: program.version, kept, reload, [Symbol.asyncDispose]: async () => void (await kept.end(STOP_WITHIN_MS)) }
}

/** After a kill -9 of a supervisor its nats-server lives on for some seconds; two on one store would destroy it. */
async function outwaitPredecessor(dataDir: string, say: (line: string) => void): Promise<void> {
  const pid = Number(await readFile(pidFile(dataDir), 'utf8').catch(() => ''))
  const deadlineMs = performance.now() + PREDECESSOR_MS
  for (let said = false; pid > 0 && (await runsOn(pid, dataDir)); said = true) {
    if (performance.now() > deadlineMs) process.kill(pid, 'SIGKILL')
    else if (!said) say(`waiting for the nats-server of the run before (pid ${pid}) to end`)
    await pause(50) // it is not our child, so nobody tells
  }
}

async function runsOn(pid: number, dataDir: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0').includes(configFile(dataDir))
}

const configFile = (dataDir: string) => join(dataDir, 'nats/nats.conf')
const pidFile = (dataDir: string) => join(dataDir, 'nats/nats.pid')

async function busy(port: number): Promise<PortBusy> {
  const holder = await portHolder(port)
  return new PortBusy(
    `port ${port} on ${HOST} is taken${holder === null ? ` (\`ss -ltnp 'sport = :${port}'\` tells by whom)` : ` by ${holder}`}, so the embedded nats-server cannot listen there. ` +
      `Set HATO_NATS_PORT to another port, or, if it is a NATS server you want to use, HATO_NATS_URL=nats://${HOST}:${port}`,
  )
}

/** NOTE: a file that is there already keeps its mode, so it is written beside and renamed. */
async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
