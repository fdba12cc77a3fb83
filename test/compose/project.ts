/** The project's own docker-compose.yml under a name, an image, ports and a subnet of this run, so that nobody's running cluster is touched. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Finished, runProgram } from '../../scripts/check/run.ts'

export interface Project extends AsyncDisposable {
  readonly name: string
  readonly natsUrl: string
  readonly worldUrl: string
  /** `docker compose --profile world …`; throws with what it said when it fails */
  compose(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>
  /** states of its containers and the ends of their logs, for a person who looks into a failure */
  lastWords(): Promise<string>
  /** containers, volumes and networks that carry the project's label */
  left(): Promise<readonly string[]>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LIMIT_MS = 5 * 60_000
const LAST_LINES = 200
const LAST_WIDTH = 400

export async function openProject(engineEnv: Readonly<Record<string, string>>): Promise<Project> {
  const name = `hato-test-${process.pid}`
  const subnet = `172.31.${100 + (process.pid % 100)}`
  const [natsPort = 0, worldPort = 0] = await freePorts(2)
  const env = {
    ...engineEnv,
    // said outright, since the shell that runs this may have its own
    COMPOSE_FILE: join(ROOT, 'docker-compose.yml'),
    COMPOSE_PROFILES: '',
    COMPOSE_PROJECT_NAME: name,
    HATO_FLEET: '',
    HATO_WORLD_PLANT: '',
    HATO_SESSIONS: '16', // one sender is soon full, so that there is something to do for others
    HATO_IMAGE: name,
    HATO_NATS_PORT: String(natsPort),
    HATO_WORLD_PORT: String(worldPort),
    HATO_SUBNET: subnet,
  }
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    runProgram('docker', args, { cwd: ROOT, env: { ...env, ...more }, limitMs: LIMIT_MS })
  const compose: Project['compose'] = async (args, more) => {
    const { code, stdout, stderr, timedOut } = await run(['compose', '--profile', 'world', ...args], more)
    if (code !== 0)
      throw new Error(`docker compose ${args.join(' ')} ended with ${timedOut ? 'nothing in time' : code}:\n${stderr.trim().split('\n').slice(-15).join('\n')}`)
    return stdout
  }
  return {
    name,
    natsUrl: `nats://127.0.0.1:${natsPort}`,
    worldUrl: `http://127.0.0.1:${worldPort}`,
    compose,
    async lastWords() {
      const states = await run(['compose', '--profile', 'world', 'ps', '-a', '--format', 'table {{.Name}}\t{{.Status}}'])
      const logs = await run(['compose', '--ansi', 'never', '--profile', 'world', 'logs', '--tail', String(LAST_LINES)])
      const lines = logs.stdout.split('\n').filter((line) => !/"level":"(debug|info)"|\[INF\]/.test(line))
      return `${states.stdout}\n${lines.map((line) => line.slice(0, LAST_WIDTH)).join('\n')}`
    },
    async left() {
      const label = ['--filter', `label=com.docker.compose.project=${name}`, '-q']
      const kinds = { container: ['container', 'ls', '-a'], volume: ['volume', 'ls'], network: ['network', 'ls'] }
      const found = await Promise.all(
        Object.entries(kinds).map(async ([kind, args]) => {
          const { stdout } = await run([...args, ...label])
          return stdout.split('\n').flatMap((id) => (id === '' ? [] : [`${kind} ${id}`]))
        }),
      )
      return found.flat()
    },
    async [Symbol.asyncDispose]() {
      await run(['compose', '--profile', 'world', 'down', '-v', '--timeout', '5'])
      await run(['image', 'rm', '-f', name])
    },
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const server = createServer().once('error', reject).listen(0, '127.0.0.1', resolve)
      await promise
      return server
    }),
  )
  return servers.map((server) => {
    const address = server.address()
    server.close()
    return address !== null && typeof address === 'object' ? address.port : 0
  })
}
