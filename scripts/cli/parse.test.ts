import { describe, expect, it } from 'vitest'
import { COMMANDS } from './commands.ts'
import { helpOn, overview, usage } from './help.ts'
import { OPTIONS } from './options.ts'
import { understand } from './parse.ts'
import { widthOf } from './text.ts'

const read = (line: string) => understand(line === '' ? [] : line.split(' '), COMMANDS)
const plain = (_: string, text: string) => text

describe('a command line', () => {
  it.each([
    ['status acme/spring', 'status', ['acme/spring'], []],
    ['--json status acme/spring', 'status', ['acme/spring'], ['json']],
    ['ip', 'ip', [], []],
    ['ip 203.0.113.7', 'ip', ['203.0.113.7'], []],
    ['ip quarantine 203.0.113.7', 'ip quarantine', ['203.0.113.7'], []],
    ['isp google --json', 'isp', ['google'], ['json']],
    ['isp pause google', 'isp pause', ['google'], []],
    ['send - -f', 'send', ['-'], ['follow']],
    ['suppress add acme a@example.jp b@example.jp', 'suppress add', ['acme', 'a@example.jp', 'b@example.jp'], []],
  ])('%s', (line, name, positionals, flags) => {
    const understood = read(line)
    expect(understood).toMatchObject({ kind: 'run', command: { name }, asked: { positionals } })
    expect(understood.kind === 'run' && [...understood.asked.flags]).toEqual(flags)
  })

  it('takes values behind a space or an equals sign', () => {
    for (const line of ['isp pause google --for 30m', 'isp pause --for=30m google']) {
      const understood = read(line)
      expect(understood.kind === 'run' && understood.asked.values.get('for')).toBe('30m')
    }
  })

  it.each([
    ['sned x.json', '"sned" is not a command; did you mean send?'],
    ['frobnicate', '"frobnicate" is not a command'],
    ['isp puase google', 'isp takes SITE, but "google" follows; did you mean isp pause?'],
    ['suppress', 'suppress what? There are add, remove, list, import, export'],
    ['suppress ad acme', '"suppress ad" is not a command; did you mean add?'],
    ['status', 'status needs TENANT/ID'],
    ['status a/b c', 'status takes TENANT/ID, but "c" follows'],
    ['doctor now', 'doctor takes nothing behind it, but "now" follows'],
    ['status a/b --josn', '--josn is not an option; did you mean --json?'],
    ['status a/b --zzzzzz', '--zzzzzz is not an option; there are --follow, --json, --nats, --help'],
    ['pause a/b --follow', 'pause does not take --follow; there are --site, --json, --nats, --help'],
    ['isp pause google --for', '--for needs a value: --for DURATION'],
    ['isp pause google --for --json', '--for needs a value: --for DURATION'],
    ['ip --json=yes', '--json takes no value; it was given "yes"'],
    ['help sedn', 'there is no command "sedn"; did you mean send?'],
    ['--jason', '--jason is not an option; did you mean --json?'],
  ])('%s: %s', (line, message) => {
    const understood = read(line)
    expect(understood.kind === 'wrong' ? understood.message : understood).toContain(message)
  })

  it.each([
    ['', { kind: 'nothing' }],
    ['--version', { kind: 'version' }],
    ['help', { kind: 'help', topic: '' }],
    ['-h', { kind: 'help', topic: '' }],
    ['help isp', { kind: 'help', topic: 'isp' }],
    ['isp limit --help', { kind: 'help', topic: 'isp limit' }],
    ['suppress --help', { kind: 'help', topic: 'suppress' }],
    ['isp google --help', { kind: 'help', topic: 'isp' }],
  ])('"%s" asks for help', (line, expected) => {
    expect(read(line)).toEqual(expected)
  })
})

describe('help', () => {
  it('of every command has its usage, an example that is understood, and lines of at most 120 columns', () => {
    for (const command of COMMANDS) {
      const page = helpOn(command.name, COMMANDS, plain)
      expect(page.replace(/\n {7}/g, ' ')).toContain(usage(command))
      expect(page).toMatch(/\nExamples?:\n {2}\S/)
      for (const line of page.split('\n')) expect([line, widthOf(line) <= 120]).toEqual([line, true])
      for (const option of command.options) expect(page).toContain(`--${option}`)
      const own = /(?:^|\| |&& |=\S+ )hato ([^|&>]*)/.exec(command.examples[0] ?? '')?.[1] ?? ''
      const words = [...own.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
      expect([own, understand(words, COMMANDS)]).toEqual([own, expect.objectContaining({ kind: 'run', command })])
    }
  })

  it('lists every command once', () => {
    const lines = overview(COMMANDS, plain, 200).split('\n')
    for (const { name } of COMMANDS)
      expect(
        lines.filter(
          (line) =>
            line.startsWith(`  ${name} `) &&
            !COMMANDS.some((other) => other.name !== name && other.name.startsWith(`${name} `) && line.startsWith(`  ${other.name} `)),
        ),
      ).toHaveLength(1)
  })

  it.each([72, 80, 120])('fits %d columns', (width) => {
    for (const line of overview(COMMANDS, plain, width).split('\n')) expect([line, widthOf(line) <= width]).toEqual([line, true])
  })

  it('explains every option that some command takes, and no other', () => {
    const taken = new Set<string>(['nats', 'help', 'version', ...COMMANDS.flatMap(({ options }) => options)])
    expect(new Set(Object.keys(OPTIONS))).toEqual(taken)
  })
})
