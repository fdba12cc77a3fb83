import { parseArgs } from 'node:util'
import type { Pace } from './cells.ts'
import { TRIALS } from './trials/run.ts'

export const CONTENDERS = ['hato', 'bare-socket', 'nodemailer', 'postfix', 'haraka'] as const
export type ContenderName = (typeof CONTENDERS)[number]

export interface BenchArgs {
  readonly pace: Pace
  readonly mode: 'compare' | 'profile' | 'trials'
  readonly only: readonly ContenderName[]
  /** trials by name; none = all */
  readonly trials: readonly string[]
  /** lines of the trial million's list */
  readonly recipients: number
  readonly output: 'screen' | 'json'
}

/** both lists of the trial million are then sent in some two minutes */
const RECIPIENTS = 200_000
const RECIPIENTS_BOUNDS = [10_000, 10_000_000] as const

const TRIAL_NAMES: readonly string[] = TRIALS.map(({ name }) => name)

export const HELP = `npm run bench [-- FLAGS]

Sends the same mails through Hato and its peers into the same sink (Postfix's smtp-sink) on loopback, by turns, three times each; prints the medians
and writes them to BENCHMARKS.md. All bodies and signatures take some 15 minutes. Needs Debian's package postfix; Haraka is fetched from npm once.

  --quick              10 KB only, with and without RSA signatures: less than 3 minutes
  --profile            where a sender's CPU goes instead: by stage, of one campaign, from V8's profile
  --trials             instead: Hato alone where a rate is not the question (${TRIAL_NAMES.join(', ')}); some minutes each
  --trial NAME         one of them; may be repeated
  --recipients N       lines of the list in the trial million (${RECIPIENTS} unless said: some 2 minutes; 1000000 takes some 8, it sends them all)
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
      trials: { type: 'boolean' },
      trial: { type: 'string', multiple: true },
      recipients: { type: 'string' },
      only: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return null
  const only = values.only ?? []
  for (const name of only) if (!isContender(name)) throw new RangeError(`--only is "${name}", not one of ${CONTENDERS.join(', ')}`)
  const trials = values.trial ?? []
  for (const name of trials) if (!TRIAL_NAMES.includes(name)) throw new RangeError(`--trial is "${name}", not one of ${TRIAL_NAMES.join(', ')}`)
  const recipients = Number(values.recipients ?? RECIPIENTS)
  const [least, most] = RECIPIENTS_BOUNDS
  if (!Number.isInteger(recipients) || recipients < least || recipients > most)
    throw new RangeError(`--recipients is "${values.recipients}", not a number from ${least} to ${most}`)
  return {
    pace: values.quick === true ? 'quick' : 'full',
    mode: values.profile === true ? 'profile' : values.trials === true || trials.length > 0 ? 'trials' : 'compare',
    only: only.filter(isContender),
    trials,
    recipients,
    output: values.json === true ? 'json' : 'screen',
  }
}

const isContender = (name: string): name is ContenderName => (CONTENDERS as readonly string[]).includes(name)
