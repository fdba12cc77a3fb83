/** The options of the world as a process: one table, from which parsing and `--help` are made. */
import { parseArgs } from 'node:util'
import { PLANTS, type Plant } from './plant.ts'
import type { WorldOptions } from './world.ts'

const OPTIONS = {
  base: { default: '127.0.2', says: "first three bytes of the ISPs' addresses" },
  bind: { default: 'each', says: '"each" ISP\'s own address, or one address (0.0.0.0) for all of them' },
  'smtp-port': { default: '0', says: 'the same for all ISPs; 0 = a free one' },
  'dns-address': { default: '127.0.0.1', says: 'where DNS listens, UDP and TCP' },
  'dns-port': { default: '0', says: '0 = a free one' },
  'control-address': { default: '127.0.0.1', says: 'where the HTTP door listens' },
  'control-port': { default: '0', says: '0 = a free one' },
  enforce: { default: '', says: 'ISPs whose certificates are right and whose domains say so by MTA-STS; several with commas' },
  'sts-port': { default: '0', says: 'where their policies are served; 0 = a free one' },
  behaviours: { default: 'all', says: '"none": plain servers without limits (benchmarks)' },
  'check-form': { default: 'yes', says: '"no": do not look for bare CR, bare LF, NUL, long lines' },
  'keep-bodies': { default: '0', says: 'how many bodies to keep, the first ones' },
  seed: { default: '1', says: 'of the dice' },
  plant: { default: '', says: `planted into the record, to see the verdict fail: ${PLANTS.join(', ')}; several with commas` },
  'ends-with': { default: 'signal', says: '"stdin": end also when standard input ends, so that no parent leaves a world behind' },
} as const

export type Args = {
  readonly world: WorldOptions
  readonly control: { readonly address: string; readonly port: number }
  readonly endsWith: 'signal' | 'stdin'
}

export function help(): string {
  const lines = Object.entries(OPTIONS).map(([name, { default: value, says }]) => `  --${name.padEnd(16)} ${says} (${value === '' ? 'none' : value})`)
  return [
    'node scripts/world/main.ts [options]',
    '',
    'The simulated internet: DNS and ISPs on loopback. Prints one line of JSON when it is ready.',
    '',
    ...lines,
    '  --help',
    '',
  ].join('\n')
}

/** Null for `--help`. Throws TypeError or RangeError for what it does not understand. */
export function readArgs(argv: readonly string[]): Args | null {
  const options = Object.keys(OPTIONS).map((name) => [name, { type: 'string' as const }] as const)
  const { values } = parseArgs({ args: [...argv], options: { ...Object.fromEntries(options), help: { type: 'boolean' } }, strict: true })
  if (values.help === true) return null
  const given = new Map(Object.entries(values))
  const text = (name: keyof typeof OPTIONS): string => String(given.get(name) ?? OPTIONS[name].default)
  const count = (name: keyof typeof OPTIONS, max: number): number => {
    const value = Number(text(name))
    if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`--${name} is "${text(name)}", not a whole number from 0 to ${max}`)
    return value
  }
  const oneOf = <T extends string>(name: keyof typeof OPTIONS, allowed: readonly T[]): T => pickOne(name, text(name), allowed)
  if (!/^\d{1,3}(\.\d{1,3}){2}$/.test(text('base'))) throw new RangeError(`--base is "${text('base')}", not three bytes such as 127.0.2`)
  const plants: readonly Plant[] =
    text('plant') === ''
      ? []
      : text('plant')
          .split(',')
          .map((plant) => pickOne('plant', plant, PLANTS))
  return {
    world: {
      base: text('base'),
      bind: text('bind'),
      smtpPort: count('smtp-port', 65_535),
      ...(text('enforce') !== '' && { enforce: text('enforce').split(',') }),
      stsPort: count('sts-port', 65_535),
      dnsAddress: text('dns-address'),
      dnsPort: count('dns-port', 65_535),
      behaviours: oneOf('behaviours', ['all', 'none']),
      checkForm: oneOf('check-form', ['yes', 'no']),
      keepBodies: count('keep-bodies', 1_000_000),
      seed: count('seed', 4_294_967_295),
      plants,
    },
    control: { address: text('control-address'), port: count('control-port', 65_535) },
    endsWith: oneOf('ends-with', ['signal', 'stdin']),
  }
}

function pickOne<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new RangeError(`--${name} is "${value}", not one of ${allowed.join(', ')}`)
  return found
}
