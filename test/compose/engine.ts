import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Engine extends AsyncDisposable {
  /** what `docker` needs in its environment to find it */
  readonly env: Readonly<Record<string, string>>
}

const SCRIPT = fileURLToPath(new URL('engine.sh', import.meta.url))

/** A Docker engine that has these base images: the one that answers, else one of our own, ended with the test. Throws with what to do when there can be none. */
export async function findEngine(images: readonly string[]): Promise<Engine> {
  const { code, out } = await run(['up', ...images])
  const host = /^DOCKER_HOST=(.+)$/m.exec(out)?.[1]
  const end = async () => {
    if (/^STARTED=yes$/m.test(out)) await run(['down'])
  }
  if (code !== 0) {
    await end()
    throw new Error('there is no Docker engine to test with, see above')
  }
  return { env: host === undefined ? {} : { DOCKER_HOST: host }, [Symbol.asyncDispose]: end }
}

async function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn('bash', [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out }
}
