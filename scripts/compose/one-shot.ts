import { setTimeout as pause } from 'node:timers/promises'
import { BadConfig, Infrastructure, RETRY_PACE_MS } from '../../services/runtime/errors.ts'

/** Exit codes as everywhere: 0 done · 1 something broke or was cut short · 78 a person must change the configuration */
const EXIT_BROKEN = 1
const EXIT_BAD_CONFIG = 78

type Work = (say: (line: string) => void, signal: AbortSignal) => Promise<void>

/** The whole life of a container that does one thing and ends. Process 1 has no default signal handlers, so it hears SIGTERM itself. */
export async function oneShot(work: Work): Promise<never> {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort())
  try {
    await insist(work, stop.signal)
  } catch (error) {
    process.stderr.write(`${error instanceof BadConfig ? error.message : stop.signal.aborted ? 'stopped' : error instanceof Error ? error.stack : error}\n`)
    process.exit(error instanceof BadConfig ? EXIT_BAD_CONFIG : EXIT_BROKEN)
  }
  process.exit(0)
}

/** What such a container does may be done twice; and `docker compose up` fails with it, so a server that is slow to answer is asked again. */
async function insist(work: Work, signal: AbortSignal): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  for (;;) {
    try {
      return await work(say, signal)
    } catch (error) {
      if (!(error instanceof Infrastructure) || error.code === 'denied') throw error
      say(`${error.message}; trying again`)
      await pause(RETRY_PACE_MS[error.code], undefined, { signal })
    }
  }
}
