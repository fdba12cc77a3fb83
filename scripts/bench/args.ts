import { parseArgs } from 'node:util'
import type { Pace } from './cells.ts'

export const CONTENDERS = ['hato', 'bare-socket', 'nodemailer', 'postfix', 'haraka'] as const
export type ContenderName = (typeof CONTENDERS)[number]

export interface BenchArgs {
  readonly pace: Pace
  readonly mode: 'compare' | 'profile'
  readonly only: readonly ContenderName[]
  readonly output: 'screen' | 'json'
}

export const HELP = `npm run bench [-- FLAGS]

Sends the same mails through Hato and its peers into the same sink (Postfix's smtp-sink) on loopback, by turns, three times each; prints the medians
and writes them to BENCHMARKS.md. All bodies and signatures take some 15 minutes. Needs Debian's package postfix; Haraka is fetched from npm once.

  --quick              10 KB only, with and without RSA signatures: less than 3 minutes
  --profile            where a sender's CPU goes instead: by stage, of one campaign, from V8's profile
  --only NAME          one contender (${CONTENDERS.join(', ')}); may be repeated. BENCHMARKS.md is not written
  --json               one JSON document on stdout at the end, progress on stderr
  --help

Exit codes: 0 measured · 1 something failed · 2 unknown flags · 130 Ctrl-C
`

/** Null for --help. Throws TypeError or RangeError for what it does not understand. */
export function readArgs(argv: readonly string[]): BenchArgs | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean' },
      profile: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return null
  const only = values.only ?? []
  for (const name of only) if (!isContender(name)) throw new RangeError(`--only is "${name}", not one of ${CONTENDERS.join(', ')}`)
  return {
    pace: values.quick === true ? 'quick' : 'full',
    mode: values.profile === true ? 'profile' : 'compare',
    only: only.filter(isContender),
    output: values.json === true ? 'json' : 'screen',
  }
}

const isContender = (name: string): name is ContenderName => (CONTENDERS as readonly string[]).includes(name)
