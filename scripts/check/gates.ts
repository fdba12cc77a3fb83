/** The gates: types, lint and the import law. Each counts as one, however much it finds. */
import { breaches } from './imports.ts'
import type { Result } from './result.ts'
import { type Finished, runNode, runProgram } from './run.ts'

const LIMIT_MS = 5 * 60_000
const NOTE_LINES = 80

export const gates = { types, lint, imports } as const

async function types(): Promise<Result> {
  return judge('types', await runNode(['node_modules/typescript-7/bin/tsc', '--noEmit', '-p', '.'], { limitMs: LIMIT_MS }))
}

async function lint(): Promise<Result> {
  return judge(
    'lint',
    await runProgram(
      'node_modules/.bin/biome',
      ['check', '--error-on-warnings', '--reporter=concise', '--diagnostic-level=warn', '--max-diagnostics=none', '--colors=off', '.'],
      { limitMs: LIMIT_MS },
    ),
  )
}

/** Imports that break a rule, and files that the cruiser did not look into: a law that passes over files is no law. */
async function imports(): Promise<Result> {
  const startedAt = performance.now()
  const found = await breaches(process.cwd())
  return one('imports', found.length === 0, performance.now() - startedAt, found)
}

function judge(name: string, { code, stdout, stderr, timedOut, ms }: Finished): Result {
  const late = timedOut ? [`not finished within ${LIMIT_MS / 1000} s`] : []
  return one(name, code === 0, ms, code === 0 ? [] : [...late, ...head(stdout + stderr)])
}

function one(name: string, ok: boolean, ms: number, notes: readonly string[]): Result {
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, ms, notes, slow: [] }
}

function head(output: string): string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines.length <= NOTE_LINES ? lines : [...lines.slice(0, NOTE_LINES), `… and ${lines.length - NOTE_LINES} lines more`]
}
