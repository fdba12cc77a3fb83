/**
 * `npm run rules -- coverage`: what the built-in reply rules know, and what they would do to replies that nobody taught them.
 *
 * Exit codes: 0 they hold · 1 a row is shadowed, or a valid recipient would be suppressed · 2 not understood
 */
import { CORPUS } from '../../services/sender/policy/replies/corpus/index.ts'
import { BUILT_IN_RULES } from '../../services/sender/policy/replies/rules/index.ts'
import { openScreen } from '../cli/screen.ts'
import { HELP, type RulesArgs, readArgs } from './args.ts'
import { coverage, holds } from './coverage.ts'
import { coverageLines } from './show.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
const args = readOrTell()
process.exitCode = typeof args === 'number' ? args : run(args)

function run({ output }: RulesArgs): number {
  const screen = openScreen({ stdout: process.stdout, stderr: process.stderr, env: process.env })
  const found = coverage(BUILT_IN_RULES, CORPUS)
  screen.out(output === 'json' ? JSON.stringify({ ...found, holds: holds(found) }, null, 2) : coverageLines(found, screen.paint).join('\n'))
  return holds(found) ? 0 : 1
}

function readOrTell(): RulesArgs | number {
  try {
    const read = readArgs(process.argv.slice(2))
    if (read !== null) return read
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    process.stderr.write(`npm run rules: ${error instanceof Error ? error.message : error}\n\n${HELP}`)
    return 2
  }
}
