/**
 * `npm run test:mailboxes`: Hato's mails through a real Postfix and Dovecot into mailboxes, read back over IMAP and POP3.
 * Ends with one plain line `N passed, N failed`. Both servers are installed first when root runs it (CI does); nobody else can start them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from '../../scripts/check/result.ts'
import { endAll, runNode } from '../../scripts/check/run.ts'
import { installServers } from './install.ts'
import { signalMasters } from './servers.ts'

const LIMIT_MS = 10 * 60_000
const STDERR_LINES = 30

const dir = mkdtempSync(join(tmpdir(), 'hato-mailboxes-'))
const report = `${dir}.json`

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    endAll()
    leave(code)
  })
}

const missing = await installServers()
if (missing !== null) close(0, 1, [missing])

const { code, stderr, timedOut } = await runNode(
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/mailboxes/vitest.config.ts', '--reporter', './scripts/check/reporter.ts', '--allowOnly=false'],
  { limitMs: LIMIT_MS, show: 'stdout', env: { CHECK_REPORT: report, MAILBOXES_DIR: dir } },
)
const found = read()
const saw = stderr.trim().split('\n').slice(-STDERR_LINES)
if (timedOut) close(0, 1, [`not finished within ${LIMIT_MS / 60_000} min`, ...saw])
if (found === null) close(0, 1, [`vitest ended with ${code} and left no report`, ...saw])
close(found.passed, found.failed || (code === 0 && found.passed > 0 ? 0 : 1), found.notes)

function read(): Result | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Result
  } catch {
    return null // absent or half written: the caller says so
  }
}

function close(passed: number, failed: number, notes: readonly string[]): never {
  for (const note of notes) process.stdout.write(`  ${note.replaceAll('\n', '\n  ')}\n`)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  leave(failed === 0 ? 0 : 1)
}

function leave(code: number): never {
  signalMasters(dir, 'SIGKILL') // only what a broken run left behind
  rmSync(dir, { recursive: true, force: true })
  rmSync(report, { force: true })
  process.exit(code)
}
