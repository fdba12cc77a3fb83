/** Where NATS is and who we are there; a connection that gives up instead of waiting for ever. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { BadConfig } from '../../services/runtime/errors.ts'
import type { Log } from '../../services/runtime/log.ts'
import type { ClusterState } from '../start/state-file.ts'
import { Failure } from './failure.ts'

export type Env = Readonly<Record<string, string | undefined>>
export interface NatsPlace {
  readonly url: string
  /** who said so, for messages */
  readonly from: string
  readonly credentials: { readonly user: string; readonly pass: string } | null
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const DEFAULT_URL = 'nats://127.0.0.1:4222'
const CONNECT_WITHIN_MS = 4_000

/**
 * --nats, then HATO_NATS_URL, then what `npm start` wrote into its data folder, then the default. `who`: an entry of credentials.json.
 * NOTE: who names a data folder means the cluster there. When it does not run, the default address may be somebody else's cluster: orders
 * must not go there, nor this folder's password.
 */
export async function findNats(flag: string | undefined, env: Env, who = 'ops'): Promise<NatsPlace> {
  const folders = dataFolders(env)
  const own = fromEnv(env)
  const withCredentials = async (url: string, from: string) => ({
    url,
    from,
    credentials: own ?? (await firstOf(folders, (folder) => readCredentials(folder, who))),
  })
  if (flag !== undefined) return withCredentials(checked(flag, '--nats'), '--nats')
  if (env.HATO_NATS_URL) return withCredentials(checked(env.HATO_NATS_URL, 'HATO_NATS_URL'), 'HATO_NATS_URL')
  const running = await firstOf(folders, readRunning)
  if (running !== null) return withCredentials(running.natsUrl, running.file)
  if (env.HATO_DATA)
    throw new Failure(
      'unavailable',
      `no cluster runs on HATO_DATA=${env.HATO_DATA} (its cluster.json is missing or of a run that has ended). Start it with npm start, or say where NATS is with --nats URL or HATO_NATS_URL`,
      { code: 'no-nats' },
    )
  return { url: DEFAULT_URL, from: 'the default', credentials: own }
}

function checked(url: string, from: string): string {
  for (const server of url.split(',')) {
    const text = server.trim()
    if (text === '' || !URL.canParse(text.includes('://') ? text : `nats://${text}`) || (text.includes('://') && !/^(nats|tls|ws|wss):\/\//.test(text)))
      throw new Failure('usage', `${from} is "${url}", which is no address of a NATS server such as ${DEFAULT_URL}`)
  }
  return url
}

/** As `npm start` resolves it from where it runs, and from this project's own folder, whence npm runs it. */
export function dataFolders(env: Env): string[] {
  return env.HATO_DATA ? [env.HATO_DATA] : [...new Set([join(process.cwd(), 'data'), join(ROOT, 'data')])]
}

function fromEnv(env: Env): NatsPlace['credentials'] {
  return env.HATO_NATS_USER ? { user: env.HATO_NATS_USER, pass: env.HATO_NATS_PASS ?? '' } : null
}

async function readRunning(folder: string): Promise<{ readonly natsUrl: string; readonly file: string } | null> {
  const file = join(folder, 'cluster.json')
  const state = await readJson<ClusterState>(file)
  return state !== null && typeof state.natsUrl === 'string' && state.natsUrl !== '' && lives(state.supervisor) ? { natsUrl: state.natsUrl, file } : null
}

async function readCredentials(folder: string, who: string): Promise<NatsPlace['credentials']> {
  const file = join(folder, 'credentials.json')
  const all = await readJson<Readonly<Record<string, { readonly user: string; readonly pass: string }>>>(file)
  if (all === null) return null
  const own = all[who]
  if (typeof own?.user !== 'string' || typeof own.pass !== 'string')
    throw new Failure('badConfig', `${file} has no "${who}": {"user", "pass"}, so there is nobody to log in as`)
  return { user: own.user, pass: own.pass }
}

/** A file that an aborted run left behind says nothing. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it lives, as somebody else's
  }
}

/** null when there is no such file */
async function readJson<T>(file: string): Promise<T | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new Failure('badConfig', `${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw new Failure('badConfig', `${file} is not JSON: ${(error as Error).message}`)
  }
}

async function firstOf<T>(folders: readonly string[], read: (folder: string) => Promise<T | null>): Promise<T | null> {
  for (const folder of folders) {
    const found = await read(folder)
    if (found !== null) return found
  }
  return null
}

export interface ConnectOptions {
  readonly place: NatsPlace
  readonly env: Env
  readonly stopping: AbortSignal
  /** a remark while the connection is down */
  readonly note: (text: string) => void
}

export async function connectOrFail({ place, env, stopping, note }: ConnectOptions): Promise<Bus> {
  let because = 'no answer'
  const giveUp = AbortSignal.timeout(CONNECT_WITHIN_MS)
  const credentials = place.credentials === null ? {} : { credentials: place.credentials }
  const late = Promise.withResolvers<never>()
  giveUp.addEventListener('abort', () => late.reject(giveUp.reason))
  late.promise.catch(() => {}) // matters only while it is raced against
  const connecting = connectBus({
    url: place.url,
    name: 'hato',
    log: logFor(note, (reason) => {
      because = reason
    }),
    signal: AbortSignal.any([giveUp, stopping]),
    ...credentials,
  })
  try {
    return await Promise.race([connecting, late.promise])
  } catch (error) {
    void connecting.catch(() => {}) // it ends by the same signal
    if (stopping.aborted) throw error
    if (error instanceof BadConfig)
      throw new Failure(
        'badConfig',
        `${error.message}; the credentials are HATO_NATS_USER and HATO_NATS_PASS, or "ops" in ${dataFolders(env).join(' or ')}/credentials.json`,
      )
    if (!giveUp.aborted) throw error
    throw new Failure(
      'unavailable',
      `NATS at ${place.url} (${place.from}) does not answer: ${because}. Start the cluster with npm start, or say where NATS is with --nats URL or HATO_NATS_URL`,
      { code: 'no-nats' },
    )
  }
}

/** The runtime's log as remarks; what it waits for is kept for the message when we give up. */
function logFor(note: (text: string) => void, waited: (because: string) => void): Log {
  const tell = (event: string, fields: Readonly<Record<string, unknown>> = {}) => {
    if (event === 'nats-lost') note('the connection to NATS is lost; waiting for it')
    else note([event.replaceAll('-', ' '), ...Object.values(fields).map((value) => (value instanceof Error ? value.message : String(value)))].join(': '))
  }
  const log: Log = {
    debug() {},
    info(event, fields) {
      if (event === 'nats-waited') waited(String(fields?.because))
      if (event === 'nats-regained') note('NATS is there again')
    },
    warn: tell,
    error: tell,
    child: () => log,
  }
  return log
}
