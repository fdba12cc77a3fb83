import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BadConfig } from '../../services/runtime/errors.ts'

/** The first with scheduled messages and atomic batches; scripts/bootstrap.sh fetches one that is newer. */
export const NATS_MINIMUM = '2.12.0'

const CACHED = fileURLToPath(new URL('../../.cache/bin/nats-server', import.meta.url))

/** The nats-server on PATH when it is new enough, else the one that bootstrap fetched. Throws BadConfig when there is neither. */
export async function findNatsServer(): Promise<{ readonly path: string; readonly version: string }> {
  const found: string[] = []
  for (const path of ['nats-server', CACHED]) {
    const version = await versionOf(path)
    if (version === null) continue
    if (isNewEnough(version)) return { path, version }
    found.push(`${path} is ${version}`)
  }
  throw new BadConfig(
    `nats-server ${NATS_MINIMUM} or newer is needed; ${found.join(', ') || 'there is none on PATH'}. Run \`bash scripts/bootstrap.sh\`, or set HATO_NATS_URL to a server that runs already`,
  )
}

/** `2.12.0` ≤ version? Letters behind the numbers (`2.12.0-RC.1`) are not looked at. */
export function isNewEnough(version: string): boolean {
  const [asked = [], has = []] = [NATS_MINIMUM, version].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)))
  for (const [at, least] of asked.entries()) {
    const own = has[at] ?? 0
    if (own !== least) return own > least
  }
  return true
}

async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'])
    return /v(\d+\.\d+\S*)/.exec(stdout)?.[1] ?? null
  } catch {
    return null // not there, or no program that runs here: the caller says what it looked for
  }
}
