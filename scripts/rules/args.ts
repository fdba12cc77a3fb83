import { parseArgs } from 'node:util'

export interface RulesArgs {
  readonly command: 'coverage'
  readonly output: 'screen' | 'json'
}

export const HELP = `npm run rules -- coverage [--json]

Has the built-in reply rules judge their own samples and a corpus of replies that a postmaster has read (delivery rules: who is to blame,
and whether the recipient may be suppressed), and prints what they make of them: expected × got.

  --json   one JSON document on stdout
  --help

Exit code 0: no row is shadowed by an earlier one, no valid recipient would be suppressed · 1 one is · 2 not understood
`

/** Null for --help. Throws TypeError or RangeError for what it does not understand. */
export function readArgs(argv: readonly string[]): RulesArgs | null {
  const { values, positionals } = parseArgs({ args: [...argv], options: { json: { type: 'boolean' }, help: { type: 'boolean' } }, allowPositionals: true })
  if (values.help === true) return null
  const [command, ...rest] = positionals
  if (command === undefined) throw new RangeError('which command? There is "coverage"')
  if (command !== 'coverage') throw new RangeError(`"${command}" is no command; there is "coverage"`)
  if (rest.length > 0) throw new RangeError(`coverage takes no "${rest[0]}"`)
  return { command, output: values.json === true ? 'json' : 'screen' }
}
