/**
 * How vitest reports to the check: a line per finished test file on stdout, and the whole ring's result as JSON in the file that
 * `CHECK_REPORT` names. The file is written only at the end of the run, so its absence tells of a crash.
 */
import { writeFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node'
import type { Result } from './result.ts'

type Thrown = {
  readonly message?: string
  readonly diff?: string | undefined
  readonly stack?: string
  readonly stacks?: readonly { readonly file: string; readonly line: number }[]
}

const DIFF_LINES = 40

/** Found by vitest under the name that `--reporter=<path>` asks for, which is the default export. */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export
export default class CheckReporter implements Reporter {
  #startedAt = performance.now()
  #root = process.cwd()

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root
    this.#startedAt = performance.now()
  }

  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()]
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const word = module.ok() && passed > 0 ? 'ok  ' : 'FAIL'
    process.stdout.write(`  ${word} ${module.relativeModuleId}  ${passed} of ${tests.length}  ${Math.round(module.diagnostic().duration)} ms\n`)
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const failedTests = tests.filter((test) => test.result().state === 'failed')
    // A file or a suite whose hooks or loading failed counts as one failure, even when every test in it passed or none was found.
    const broken = modules.flatMap((module) =>
      [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0).map((part) => ({ part, module })),
    )
    const unfinished = tests.filter((test) => test.result().state === 'pending')
    const skipped = tests.filter((test) => test.result().state === 'skipped')
    const result: Result = {
      name: '',
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed: failedTests.length + broken.length + unfinished.length + unhandled.length,
      ms: performance.now() - this.#startedAt,
      notes: [
        ...failedTests.flatMap((test) => this.#note(title(test), test.result().errors ?? [])),
        ...broken.flatMap(({ part, module }) =>
          this.#note(part === module ? module.relativeModuleId : `${module.relativeModuleId} > ${part.type === 'suite' ? part.fullName : ''}`, part.errors()),
        ),
        ...unfinished.map((test) => `FAIL ${title(test)}\n  not finished`),
        ...unhandled.flatMap((error) => this.#note('an error that no test caught', [error as Thrown])),
        ...skipped.map((test) => `skipped: ${title(test)}`),
      ],
      slow: modules.map((module) => ({ file: module.relativeModuleId, ms: module.diagnostic().duration })),
    }
    if (process.env.CHECK_REPORT) writeFileSync(process.env.CHECK_REPORT, JSON.stringify(result))
  }

  #note(what: string, errors: readonly Thrown[]): string[] {
    return errors.map((error) => {
      const own = error.stacks?.find(({ file }) => file.startsWith(this.#root) && !file.includes('/node_modules/'))
      const where = own ? `\n  at ${own.file.slice(this.#root.length + 1)}:${own.line}` : ''
      const told = stripVTControlCharacters([error.message ?? String(error), ...(error.diff?.split('\n').slice(0, DIFF_LINES) ?? [])].join('\n'))
      return `FAIL ${what}\n  ${told.replaceAll('\n', '\n  ')}${where}`
    })
  }
}

function title(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`
}
