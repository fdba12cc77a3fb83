/** Haraka from npm, installed below .cache/bench: no dependency of ours, and the lock knows nothing of it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../../start/port-holder.ts'
import { blast } from '../blaster.ts'
import { listening, startChild } from '../children.ts'
import type { Absent, Contender, Surroundings, Target } from '../contender.ts'
import { prebuilt } from '../mails.ts'
import { BODIES } from './bare-socket.ts'

const VERSION = '3.3.4'
const PLACE = fileURLToPath(new URL('../../../.cache/bench/haraka', import.meta.url))
const PROGRAM = join(PLACE, 'node_modules/Haraka/bin/haraka')
const INSTALL_WITHIN_MS = 120_000
const HOST = '127.0.0.1'
const SESSIONS = 20

/** Installs it the first time. */
export async function haraka({ say, signal }: Pick<Surroundings, 'say' | 'signal'>): Promise<Contender | Absent> {
  const about = { name: 'haraka', title: 'Haraka' }
  const problem = existsSync(PROGRAM) ? null : await install(say, signal)
  if (problem !== null) return { ...about, because: `it could not be installed from npm: ${problem}` }
  return {
    ...about,
    version: VERSION,
    settings: `${availableParallelism()} workers, ${SESSIONS} deliveries at once each, fed by ${SESSIONS} SMTP sessions; no plugin but the one that leads to the sink, no DKIM`,
    durability: 'each mail written into the queue before it is accepted, without fsync',
    perSecond: 400,
    measures: ({ dkim }) => dkim === 'none',
    async start({ target, signal: stop }) {
      await using starting = new AsyncDisposableStack()
      const home = await mkdtemp(join(tmpdir(), 'hato-bench-haraka-'))
      starting.defer(() => rm(home, { recursive: true, force: true }))
      const port = await freePort(HOST)
      await configure(home, port, target)
      const child = starting.use(startChild(process.execPath, [PROGRAM, '-c', home], { cwd: home, env: { PATH: process.env.PATH, HOME: home } }))
      await listening('Haraka', child, { host: HOST, port })
      const parts = starting.move()
      return {
        async send({ bodyKb }, mails) {
          const bodies = await prebuilt(bodyKb, BODIES)
          const beganMs = performance.now()
          await blast({ host: HOST, port, bodies, mails, sessions: SESSIONS, manner: 'in-turn', signal: stop })
          return { beganMs, finishedMs: null }
        },
        [Symbol.asyncDispose]: () => parts.disposeAsync(),
      }
    },
  }
}

async function install(say: (line: string) => void, signal: AbortSignal): Promise<string | null> {
  say(`installing Haraka ${VERSION} into .cache/bench (once)`)
  await mkdir(PLACE, { recursive: true })
  await writeFile(join(PLACE, 'package.json'), '{"private":true}\n')
  const args = ['install', `Haraka@${VERSION}`, '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error']
  try {
    await promisify(execFile)('npm', args, { cwd: PLACE, timeout: INSTALL_WITHIN_MS, signal })
    return null
  } catch (error) {
    signal.throwIfAborted()
    return error instanceof Error ? (error.message.split('\n').find((line) => line.startsWith('npm error')) ?? 'npm did not end in time') : String(error)
  }
}

async function configure(home: string, port: number, target: Target): Promise<void> {
  await mkdir(join(home, 'config'), { recursive: true })
  await mkdir(join(home, 'plugins'))
  await mkdir(join(home, 'queue'))
  const files: Readonly<Record<string, string>> = {
    'package.json': '{"private":true}\n',
    'config/smtp.ini': `listen=${HOST}:${port}\nnodes=${availableParallelism()}\n[headers]\nmax_received=100\n`,
    'config/outbound.ini': `concurrency_max=${SESSIONS}\nlocal_mx_ok=true\nenable_tls=false\npool_concurrency_max=${SESSIONS}\n`,
    'config/log.ini': '[main]\nlevel=ERROR\n',
    'config/loglevel': 'ERROR\n',
    'config/me': 'bench.hato.example\n',
    'config/plugins': 'to-the-sink\n',
    'plugins/to-the-sink.js': plugin(target),
  }
  // Without its own copy it falls over a missing section at the first connect.
  await copyFile(join(PLACE, 'node_modules/Haraka/config/connection.ini'), join(home, 'config/connection.ini'))
  for (const [file, text] of Object.entries(files)) await writeFile(join(home, file), text)
}

const plugin = ({ host, port }: Target) => `
exports.hook_connect = (next, connection) => { connection.relaying = true; next() }
exports.hook_rcpt = (next) => next(OK)
exports.hook_get_mx = (next) => next(OK, [{ priority: 0, exchange: '${host}', port: ${port} }])
`
