/** What was checked and how it came out, said as it comes. */
export interface Checks {
  /** `found` is shown when it does not hold */
  check(what: string, holds: boolean, found?: unknown): void
  fail(what: string): void
  say(line: string): void
  readonly passed: number
  readonly failed: number
}

export function openChecks(): Checks {
  const beganMs = performance.now()
  let passed = 0
  let failed = 0
  const print = (mark: string, line: string) => {
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1)
    process.stdout.write(`${seconds.padStart(6)} s  ${mark} ${line.replaceAll('\n', '\n            ')}\n`)
  }
  return {
    check(what, holds, found) {
      if (holds) passed += 1
      else failed += 1
      print(holds ? '✓' : '✗', holds || found === undefined ? what : `${what}: ${typeof found === 'string' ? found : JSON.stringify(found)}`)
    },
    fail(what) {
      failed += 1
      print('✗', what)
    },
    say: (line) => print(' ', line),
    get passed() {
      return passed
    },
    get failed() {
      return failed
    },
  }
}
