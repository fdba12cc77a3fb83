/**
 * A real nats-server for one test: free port, its own temporary store, synced writes as in production. `await using` ends it and takes the store away.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface NatsOptions {
  /** 'always' (default): an ack means it is on the disk */
  readonly sync?: 'always' | 'sometimes'
  /** extra lines of the server's configuration: accounts, limits … */
  readonly extra?: string
  /** what JetStream may use of the disk; default 64 GB, more than our streams reserve */
  readonly maxFileStore?: string
  /** default: a free one */
  readonly port?: number
}

export interface TestNats extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** SIGKILL; resolves when it is gone */
  kill(): Promise<void>
  /** SIGSTOP and SIGCONT: a server that hangs */
  freeze(): void
  thaw(): void
  /** starts again on the same port and store; resolves when it answers */
  start(): Promise<void>
}

export async function startNats(options: NatsOptions = {}): Promise<TestNats> {
  const folder = await mkdtemp(join(tmpdir(), 'hato-nats-'))
  const port = options.port ?? (await freePort())
  const file = join(folder, 'nats.conf')
  await writeFile(file, natsConfig(port, join(folder, 'store'), options))
  let server = await run(file)
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid as number
    },
    kill: () => end(server, 'SIGKILL'),
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async start() {
      server = await run(file)
    },
    async [Symbol.asyncDispose]() {
      await end(server, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function natsConfig(port: number, store: string, { sync = 'always', extra = '', maxFileStore = '64GB' }: NatsOptions): string {
  return `
host: 127.0.0.1
port: ${port}
max_payload: 8MB
jetstream {
  store_dir: ${JSON.stringify(store)}
  max_memory_store: 256MB
  max_file_store: ${maxFileStore}
  ${sync === 'always' ? 'sync_interval: always' : ''}
  limits { batch { max_inflight_per_stream: 200, max_msgs: 16000 } }
}
${extra}
`
}

/** The server of `.cache/bin`, else the one on PATH (as scripts/bootstrap.sh puts them). */
export function natsServerPath(): string {
  const cached = fileURLToPath(new URL('../../.cache/bin/nats-server', import.meta.url))
  return existsSync(cached) ? cached : 'nats-server'
}

/** Resolves at the server's own word that it is ready. */
async function run(configFile: string): Promise<ChildProcess> {
  const server = spawn(natsServerPath(), ['-c', configFile], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  const ready = Promise.withResolvers<void>()
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-20_000)
    if (said.includes('Server is ready')) ready.resolve()
  })
  server.once('exit', (code, signal) => ready.reject(new Error(`nats-server ended (${code ?? signal}) before it was ready:\n${said}`)))
  server.once('error', ready.reject)
  await ready.promise
  return server
}

function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.once('exit', () => resolve())
  server.kill(signal)
  return promise
}

/** A port that was free a moment ago. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const probe = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  probe.once('error', reject)
  probe.listen(0, host, () => {
    const { port } = probe.address() as { port: number }
    probe.close(() => resolve(port))
  })
  return promise
}
