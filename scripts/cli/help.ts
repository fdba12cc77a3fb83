import type { Command, Positional } from './command.ts'
import { EVERYWHERE, OPTIONS, type OptionRow } from './options.ts'
import type { Paint } from './screen.ts'
import { pad, widthOf, wrap } from './text.ts'

const WIDTH = 88

/** `hato ip quarantine ADDRESS [--because TEXT] [--for DURATION]` */
export function usage({ name, positionals, options }: Command): string {
  const places = positionals.map(placeOf)
  const taken = options.map((option) => {
    const row: OptionRow = OPTIONS[option]
    return row.value === undefined ? `[--${option}]` : `[--${option} ${row.value}]`
  })
  return ['hato', name, ...places, ...taken].join(' ')
}

/** What `hato help` and `hato --help` say: everything there is. */
export function overview(commands: readonly Command[], paint: Paint, width: number): string {
  const shown = commands.map((command) => ({ left: [command.name, ...command.positionals.map(placeOf)].join(' '), says: command.says }))
  const column = Math.max(...shown.map(({ left }) => widthOf(left)))
  const full = Math.min(width, WIDEST)
  return [
    'hato: send campaigns, watch them, and look after IPs and sites',
    '',
    ...shown.flatMap(({ left, says }) => {
      const [first = '', ...more] = wrap(says, full - column - 4)
      return [`  ${paint('bold', pad(left, column))}  ${first}`, ...more.map((line) => `${' '.repeat(column + 4)}${line}`)]
    }),
    '',
    ...FOOT.flatMap((paragraph) => wrap(paragraph, full)),
  ].join('\n')
}

const WIDEST = 112
const FOOT = [
  'Every command takes --help, with an example. Queries take --json.',
  'NATS is looked for at --nats URL, HATO_NATS_URL, what runs on HATO_DATA (./data); without any of them nats://127.0.0.1:4222.',
  'Exit codes: 0 done · 1 refused or failed · 2 not understood · 69 NATS or an actor does not answer · 78 a file or setting is wrong',
]

function placeOf({ name, optional, many }: Positional): string {
  const shown = many ? `${name}…` : name
  return optional ? `[${shown}]` : shown
}

/** Help on one command, or on all that begin with the word. */
export function helpOn(topic: string, commands: readonly Command[], paint: Paint): string {
  const exact = commands.find(({ name }) => name === topic)
  const below = commands.filter(({ name }) => name.startsWith(`${topic} `))
  const parts = exact ? [page(exact, paint)] : []
  if (below.length > 0) {
    const width = Math.max(...below.map((command) => widthOf(usage(command))))
    const tooWide = width > 60
    parts.push(
      [
        exact ? 'and:' : `hato ${topic}:`,
        ...below.map((command) =>
          tooWide ? `  ${paint('bold', usage(command))}\n      ${command.says}` : `  ${paint('bold', pad(usage(command), width))}  ${command.says}`,
        ),
      ].join('\n'),
    )
    if (!exact) parts.push(['Examples:', ...below.flatMap(({ examples }) => examples.slice(0, 1)).map((example) => `  ${example}`)].join('\n'))
  }
  return parts.join('\n\n')
}

function page(command: Command, paint: Paint): string {
  const names = [...command.options, ...EVERYWHERE]
  const options = names.map((name) => {
    const row: OptionRow = OPTIONS[name]
    return { left: `${row.short ? `-${row.short}, ` : ''}--${name}${row.value ? ` ${row.value}` : ''}`, says: row.says }
  })
  const width = Math.max(...options.map(({ left }) => left.length))
  return [
    ...folded(usage(command)).map((line) => paint('bold', line)),
    '',
    ...wrap(`${command.says}.`, WIDTH),
    ...(command.more ?? '').split('\n').flatMap((paragraph) => (paragraph === '' ? [] : ['', ...wrap(paragraph, WIDTH)])),
    '',
    ...options.map(({ left, says }) => `  ${pad(left, width)}  ${says}`),
    '',
    command.examples.length === 1 ? 'Example:' : 'Examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n')
}

/** A long usage line goes on below itself. */
function folded(text: string): string[] {
  const lines: string[] = []
  for (const piece of text.split(/ (?=\[--)/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + piece.length <= WIDTH) lines[lines.length - 1] = `${last} ${piece}`
    else lines.push(last === undefined ? piece : `       ${piece}`)
  }
  return lines
}
