/**
 * `npm start`: the cluster, for real mail. On stdout one line, `hato ready nats=<url>`, when it takes campaigns; everything else on stderr.
 *
 * Exit codes: 0 after SIGTERM or Ctrl-C · 1 cut short, or something broke · 69 a port is taken · 78 a person must change the configuration
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { BadConfig } from '../services/runtime/errors.ts'
import { readConfig } from '../services/runtime/config.ts'
import { startCluster } from './start/cluster.ts'
import { FLAGS, START_CONFIG } from './start/config.ts'
import { PortBusy } from './start/embedded-nats.ts'
import { readFleetFile } from './start/fleet-file.ts'
import { help } from './start/help.ts'
import { ACTOR_VARIABLES } from './start/roles.ts'
import { hearStopWish } from './start/stop-wish.ts'

const say = (line: string) => void process.stderr.write(`hato: ${line.replaceAll('\n', '\n      ')}\n`)

process.exit(await main())

async function main(): Promise<number> {
  const wish = hearStopWish(say)
  try {
    const env = environment()
    if (env === null) return 0
    const config = readConfig(START_CONFIG, env, ACTOR_VARIABLES)
    const fleet = config.fleet === null ? null : await readFleetFile(config.fleet)
    const { natsUrl, natsUser, natsPass } = config
    const credentials = natsUser === null ? {} : { credentials: { user: natsUser, pass: natsPass ?? '' } }
    await using cluster = await startCluster({
      fleet,
      dataDir: config.dataDir,
      nats: natsUrl === null ? { kind: 'embedded', port: config.natsPort } : { kind: 'given', url: natsUrl, ...credentials },
      senders: config.senders ?? availableParallelism(),
      replicas: config.replicas,
      env,
      say,
      signal: wish.signal,
    })
    process.stdout.write(`hato ready nats=${cluster.natsUrl}\n`)
    const broken = await Promise.race([wish.heard, cluster.broken])
    if (broken instanceof BadConfig) throw broken
  } catch (error) {
    if (!wish.signal.aborted) return told(error)
  }
  say('stopped')
  return 0
}

/** The environment as the flags change it; null when only help was wanted. */
function environment(): Record<string, string | undefined> | null {
  const options = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }]))
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } }) as { values: Readonly<Record<string, string | boolean | undefined>> }
    if (values.help === true) {
      process.stdout.write(help())
      return null
    }
    const given = Object.entries(FLAGS).flatMap(([name, variable]) => (typeof values[name] === 'string' ? [[variable, values[name]]] : []))
    return { ...process.env, ...Object.fromEntries(given) }
  } catch (error) {
    throw new BadConfig(`${error instanceof Error ? error.message : error}\nnpm start -- --help lists the flags`)
  }
}

function told(error: unknown): number {
  if (!(error instanceof BadConfig)) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 1
  }
  say(error.message)
  return error instanceof PortBusy ? error.exitCode : 78
}
