/** One scenario in a tree whose rule is off: it must run there, and fail. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { NamedTwin } from '../../scripts/docs/twins.ts'
import { runNode } from '../../scripts/check/run.ts'
import { switchOff } from '../kit/twin.ts'

export interface Tried {
  /** the scenario ran and noticed */
  readonly broke: boolean
  readonly seconds: number
  /** the first assertion that failed, or why this proves nothing */
  readonly what: string
}

/** A scenario takes some 20 s; one that only runs into its time-outs says little and still fails. */
const LIMIT_MS = 5 * 60_000
const SHOWN_LINES = 12

export async function tryTwin(root: string, twin: NamedTwin): Promise<Tried> {
  const file = join(root, twin.file)
  const text = readFileSync(file, 'utf8')
  const report = join(root, 'twin-report.json')
  writeFileSync(file, switchOff(text, twin))
  try {
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'scenarios', '--reporter', 'json', '--outputFile', report]
    const ran = await runNode([...args, `test/scenarios/${twin.scenario}.test.ts`], { cwd: root, limitMs: LIMIT_MS })
    return { ...judge(read(report), ran.timedOut, ran.stderr), seconds: ran.ms / 1_000 }
  } finally {
    writeFileSync(file, text)
    rmSync(report, { force: true })
  }
}

/** vitest's JSON report, as far as it matters here. */
export interface Report {
  readonly testResults: readonly {
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages?: readonly string[] | null }[]
  }[]
}

/** A cluster that does not start with the twin fails every scenario, and proves nothing. */
const NOT_STARTED = /the supervisor ended \(|the cluster is not ready after|InvariantBroken/

export function judge(report: Report | null, timedOut: boolean, stderr: string): Omit<Tried, 'seconds'> {
  if (timedOut) return { broke: false, what: `not finished within ${LIMIT_MS / 60_000} min` }
  if (report === null) return { broke: false, what: `vitest left no report: ${lines(stderr)}` }
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = tests.filter(({ status }) => status === 'failed')
  const message = lines(failed[0]?.failureMessages?.[0] ?? '')
  if (tests.length === 0) return { broke: false, what: `no test ran: ${lines(report.testResults[0]?.message ?? stderr)}` }
  if (failed.length === 0) return { broke: false, what: 'the scenario passed although its rule was off' }
  if (NOT_STARTED.test(message)) return { broke: false, what: `the cluster did not run: ${message}` }
  return { broke: true, what: `${failed[0]?.fullName}\n${message}` }
}

function lines(text: string): string {
  const own = stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => !/^\s+at /.test(line) && line.trim() !== '')
  return own.slice(0, SHOWN_LINES).join('\n')
}

function read(report: string): Report | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Report
  } catch {
    return null // absent or half written: the caller says so
  }
}
