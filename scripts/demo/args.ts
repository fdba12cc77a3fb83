import { parseArgs } from 'node:util'
import { PLANTS, type Plant } from '../world/plant.ts'

export interface DemoArgs {
  /** recipients over all campaigns */
  readonly recipients: number
  readonly senders: number
  readonly seed: number
  readonly afterwards: 'end' | 'keep'
  readonly plant: Plant | null
  readonly output: 'screen' | 'json'
}

/** Every behaviour of every model wants its own recipients, so far fewer than this are refused. */
const RECIPIENTS = 5_000
/** In the world every mail costs its receiver too, and they share the cores. */
const SENDERS = 2

export const HELP = `npm run demo [-- FLAGS]

Starts a whole cluster and a simulated internet on loopback, publishes sample campaigns and accounts for every recipient at the far end.
Exit code 0: nothing lost, nothing doubled, nobody waiting.

  --keep               leave it running afterwards, until Ctrl-C, to play with
  --plant FAULT        plant a fault into the far end (${PLANTS.join(', ')}): the demo must notice it and exit 1
  --recipients N       (${RECIPIENTS.toLocaleString('en')})
  --senders N          sender processes (${SENDERS})
  --seed N             of the recipient list and the world's dice (1)
  --json               one JSON document on stdout at the end, progress on stderr
  --help
`

/** Null for --help. Throws TypeError or RangeError for what it does not understand. */
export function readArgs(argv: readonly string[]): DemoArgs | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      keep: { type: 'boolean' },
      plant: { type: 'string' },
      recipients: { type: 'string' },
      senders: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return null
  const plant = values.plant ?? null
  if (plant !== null && !isPlant(plant)) throw new RangeError(`--plant is "${plant}", not one of ${PLANTS.join(', ')}`)
  return {
    recipients: count('recipients', values.recipients, RECIPIENTS, 1, 1_000_000),
    senders: count('senders', values.senders, SENDERS, 1, 64),
    seed: count('seed', values.seed, 1, 0, 4_294_967_295),
    afterwards: values.keep === true ? 'keep' : 'end',
    plant,
    output: values.json === true ? 'json' : 'screen',
  }
}

const isPlant = (text: string): text is Plant => (PLANTS as readonly string[]).includes(text)

function count(name: string, text: string | undefined, usual: number, min: number, max: number): number {
  if (text === undefined) return usual
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(`--${name} is "${text}", not a whole number from ${min} to ${max}`)
  return value
}
