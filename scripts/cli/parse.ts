/** The command line → which command with what, or what is wrong with it in words. Pure. */
import { parseArgs } from 'node:util'
import { nearest } from '../../services/runtime/nearest.ts'
import type { Asked, Command } from './command.ts'
import { EVERYWHERE, OPTIONS, type OptionName, type OptionRow } from './options.ts'

export type Understood =
  | { readonly kind: 'run'; readonly command: Command; readonly asked: Asked }
  | { readonly kind: 'help'; readonly topic: string }
  | { readonly kind: 'version' }
  /** not a word of what is wanted */
  | { readonly kind: 'nothing' }
  /** `topic`: whose usage is worth showing, '' = the whole list's */
  | { readonly kind: 'wrong'; readonly message: string; readonly topic: string }

const ROWS: Readonly<Record<string, OptionRow>> = OPTIONS

export function understand(argv: readonly string[], commands: readonly Command[]): Understood {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(ROWS).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const options = tokens.flatMap((token) => (token.kind === 'option' ? [token] : []))
  const wants = (name: OptionName) => options.some((option) => option.name === name)
  if (words[0] === 'help') return helpOn(words.slice(1), commands)
  if (words.length === 0 && wants('version')) return { kind: 'version' }
  if (words.length === 0) {
    const stray = options.find(({ name }) => !(name in ROWS))
    if (stray) return { kind: 'wrong', message: unknownOption(stray.rawName, Object.keys(ROWS)), topic: '' }
    return wants('help') ? { kind: 'help', topic: '' } : { kind: 'nothing' }
  }
  if (wants('help')) return helpOn(words, commands)
  const found = commandOf(words, commands)
  if ('message' in found) return { kind: 'wrong', ...found }
  const { command, rest } = found
  const wrong = optionProblem(options, command) ?? positionalProblem(rest, command, commands)
  if (wrong !== null) return { kind: 'wrong', message: wrong, topic: command.name }
  const flags = new Set<OptionName>()
  const values = new Map<OptionName, string>()
  for (const { name, value } of options) {
    if (typeof value === 'string') values.set(name as OptionName, value)
    else flags.add(name as OptionName)
  }
  return { kind: 'run', command, asked: { positionals: rest, flags, values } }
}

/** `ip quarantine 1.2.3.4` is the command of two words when there is one, else `ip` with whatever follows. */
function commandOf(words: readonly string[], commands: readonly Command[]): { command: Command; rest: readonly string[] } | { message: string; topic: string } {
  const [first = '', second] = words
  for (const length of [2, 1]) {
    const command = words.length < length ? undefined : commands.find(({ name }) => name === words.slice(0, length).join(' '))
    if (command) return { command, rest: words.slice(length) }
  }
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name.slice(first.length + 1))
  if (group.length === 0) {
    const known = [...new Set(commands.map(({ name }) => name.split(' ')[0] as string)), 'help']
    return { message: `"${first}" is not a command${didYouMean(first, known)}`, topic: '' }
  }
  if (second === undefined) return { message: `${first} what? There ${group.length === 1 ? 'is' : 'are'} ${group.join(', ')}`, topic: first }
  return { message: `"${first} ${second}" is not a command${didYouMean(second, group) || `; there are ${group.join(', ')}`}`, topic: first }
}

function helpOn(words: readonly string[], commands: readonly Command[]): Understood {
  const topics = new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] as string]))
  for (const length of [2, 1]) {
    const topic = words.slice(0, length).join(' ')
    if (words.length >= length && topics.has(topic)) return { kind: 'help', topic }
  }
  if (words.length === 0) return { kind: 'help', topic: '' }
  return { kind: 'wrong', message: `there is no command "${words.join(' ')}"${didYouMean(words[0] as string, [...topics])}`, topic: '' }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

function optionProblem(options: readonly OptionToken[], command: Command): string | null {
  const takes: readonly string[] = [...command.options, ...EVERYWHERE]
  for (const { name, rawName, value } of options) {
    const row = ROWS[name]
    if (row === undefined || !takes.includes(name))
      return row === undefined ? unknownOption(rawName, takes) : `${command.name} does not take --${name}${listed(takes)}`
    if (row.value === undefined && value !== undefined) return `--${name} takes no value; it was given "${value}"`
    if (row.value !== undefined && (value === undefined || value === '')) return `--${name} needs a value: --${name} ${row.value}`
    // An option where a value should stand: the value was forgotten.
    if (row.value !== undefined && value?.startsWith('--')) return `--${name} needs a value: --${name} ${row.value}; "${value}" stands there`
  }
  return null
}

function unknownOption(rawName: string, takes: readonly string[]): string {
  return `${rawName} is not an option${didYouMean(rawName.replace(/^-+/, ''), takes, '--') || listed(takes)}`
}

function listed(takes: readonly string[]): string {
  return `; there ${takes.length === 1 ? 'is' : 'are'} ${takes.map((name) => `--${name}`).join(', ')}`
}

function positionalProblem(rest: readonly string[], command: Command, commands: readonly Command[]): string | null {
  const { positionals } = command
  const least = positionals.filter(({ optional }) => !optional).length
  if (rest.length < least) return `${command.name} needs ${positionals[rest.length]?.name}`
  if (rest.length <= positionals.length || positionals.at(-1)?.many) return null
  const siblings = commands.filter(({ name }) => name.startsWith(`${command.name} `)).map(({ name }) => name)
  const meant = nearest(`${command.name} ${rest[0]}`, siblings)
  const takes = positionals.length === 0 ? 'takes nothing behind it' : `takes ${positionals.map(({ name }) => name).join(' ')}`
  return `${command.name} ${takes}, but "${rest.slice(positionals.length).join(' ')}" follows${meant === null ? '' : `; did you mean ${meant}?`}`
}

function didYouMean(name: string, known: readonly string[], before = ''): string {
  const meant = nearest(name, known)
  return meant === null ? '' : `; did you mean ${before}${meant}?`
}
