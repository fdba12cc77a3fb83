/**
 * `npm test`: every gate and every ring, whatever failed before, and at the end one plain line `N passed, N failed`.
 *
 *   npm test                              everything
 *   npm test -- --only bus                one ring (or gate: types, lint, imports)
 *   npm test -- protocol/campaign         the test files whose path contains this
 */
import { parseArgs } from 'node:util'
import { gates } from './gates.ts'
import { progressLine, type Result } from './result.ts'
import { RINGS, runRing } from './rings.ts'
import { endAll } from './run.ts'

const SLOWEST = 10
const GATES = Object.keys(gates) as (keyof typeof gates)[]

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    endAll()
    process.exit(code)
  })
}

const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true })
const known: readonly string[] = [...GATES, ...RINGS]
if (values.only !== undefined && !known.includes(values.only)) {
  process.stderr.write(`npm test: --only ${values.only} is none of ${known.join(', ')}\n`)
  process.exit(2)
}

const results: Result[] = []
for (const gate of GATES) if (wanted(gate) && positionals.length === 0) await take(gate, gates[gate]())
for (const ring of RINGS) if (wanted(ring)) await take(ring, runRing(ring, positionals))

const slowest = results.flatMap(({ slow }) => slow).sort((a, b) => b.ms - a.ms)
if (slowest.length > SLOWEST) for (const { file, ms } of slowest.slice(0, SLOWEST)) print(`slow ${(ms / 1000).toFixed(1)} s  ${file}`)
const total = { passed: sum('passed'), failed: sum('failed') }
if (total.passed + total.failed === 0) total.failed = 1 // nothing was looked at, which is no success
print(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)

function wanted(name: string): boolean {
  return values.only === undefined || values.only === name
}

/** A gate or ring that throws is a failed one; the next is run all the same. */
async function take(name: string, work: Promise<Result>): Promise<void> {
  const result = await work.catch((error: unknown): Result => ({ name, passed: 0, failed: 1, ms: 0, notes: [String(error)], slow: [] }))
  results.push(result)
  print(progressLine(result))
  for (const note of result.notes) print(`  ${note.replaceAll('\n', '\n  ')}`)
}

function sum(count: 'passed' | 'failed'): number {
  return results.reduce((total, result) => total + result[count], 0)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
