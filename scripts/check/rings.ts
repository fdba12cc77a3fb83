/** The three rings of tests, each one run of vitest in a process of its own: a crash of one is a failure of that ring, not of the check. */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from './result.ts'
import { runNode } from './run.ts'

export const RINGS = ['pure', 'bus', 'scenarios'] as const
export type Ring = (typeof RINGS)[number]

/** Beyond this a ring hangs. The whole check is meant to take a few minutes. */
const LIMIT_MS = 30 * 60_000
const STDERR_LINES = 30

/** `paths` narrow the ring down to files whose path contains one of them; a narrowed ring may be empty. */
export async function runRing(ring: Ring, paths: readonly string[]): Promise<Result> {
  const report = join(tmpdir(), `hato-check-${process.pid}-${ring}.json`)
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    ring,
    '--reporter',
    './scripts/check/reporter.ts',
    '--allowOnly=false',
    '--passWithNoTests',
  ]
  const { code, stderr, timedOut, ms } = await runNode([...args, ...paths], { limitMs: LIMIT_MS, show: 'stdout', env: { CHECK_REPORT: report } })
  const found = read(report)
  const saw = stderr.trim().split('\n').slice(-STDERR_LINES)
  if (timedOut) return failed(ring, ms, [`not finished within ${LIMIT_MS / 60_000} min`, ...saw])
  if (found === null) return failed(ring, ms, [`vitest ended with ${code} and left no report`, ...saw])
  // vitest may be unhappy about something that is no test: a worker that died, a process that does not end.
  if (code !== 0 && found.failed === 0) return { ...found, name: ring, ms, failed: 1, notes: [...found.notes, `vitest ended with ${code}`, ...saw] }
  if (found.passed + found.failed === 0 && paths.length === 0) return failed(ring, ms, ['no test was found: a ring without tests proves nothing'])
  return { ...found, name: ring, ms }
}

function failed(name: string, ms: number, notes: readonly string[]): Result {
  return { name, passed: 0, failed: 1, ms, notes, slow: [] }
}

function read(report: string): Result | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Result
  } catch {
    return null // absent or half written: the caller says so
  } finally {
    rmSync(report, { force: true })
  }
}
