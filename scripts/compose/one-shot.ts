import { BadConfig } from '../../services/runtime/errors.ts'

/** Exit codes as everywhere: 0 done · 1 something broke or was cut short · 78 a person must change the configuration */
const EXIT_BROKEN = 1
const EXIT_BAD_CONFIG = 78

/** The whole life of a container that does one thing and ends. Process 1 has no default signal handlers, so it hears SIGTERM itself. */
export async function oneShot(work: (say: (line: string) => void, signal: AbortSignal) => Promise<void>): Promise<never> {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort())
  try {
    await work((line) => void process.stdout.write(`${line}\n`), stop.signal)
  } catch (error) {
    process.stderr.write(`${error instanceof BadConfig ? error.message : stop.signal.aborted ? 'stopped' : error instanceof Error ? error.stack : error}\n`)
    process.exit(error instanceof BadConfig ? EXIT_BAD_CONFIG : EXIT_BROKEN)
  }
  process.exit(0)
}
