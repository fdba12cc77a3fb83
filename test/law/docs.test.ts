/** The pages say what the code says: generated parts are equal, links lead somewhere, files and commands that are named exist. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../scripts/cli/commands.ts'
import { understand } from '../../scripts/cli/parse.ts'
import { RELEASE_WORDS, SITE_WORDS, SOURCE_WORDS } from '../../scripts/docs/because.ts'
import { pageFiles, pages, PROJECT } from '../../scripts/docs/pages.ts'
import { inspect } from './sources.ts'

const PAGES = pageFiles().map((file) => ({ file, text: readFileSync(join(PROJECT, file), 'utf8') }))
const page = (file: string) => PAGES.find((one) => one.file === file)?.text ?? ''

describe('generated parts', () => {
  test('are what `npm run docs` writes', () => {
    const made = pages()
    expect(made.map(({ file }) => file)).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md']))
    expect(made.filter(({ now, should }) => now !== should).map(({ file }) => `${file}: run npm run docs`)).toEqual([])
  })
})

describe('what the pages name', () => {
  test('every relative link leads to a file, and to a heading where it says so', () => {
    const links = PAGES.flatMap(({ file, text }) => [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ file, target })))
    const dead = links.filter(({ file, target }) => !/^[a-z]+:/.test(target) && !leads(file, target))
    expect(dead).toEqual([])
    expect(links.length).toBeGreaterThan(5)
  })

  test.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'DECISIONS.md'])('every file that %s names exists', (file) => {
    const named = filesIn(page(file))
    expect(named.filter((name) => !existsSync(join(PROJECT, name)))).toEqual([])
    expect(named.length).toBeGreaterThan(0)
  })

  test('every npm command is a script of package.json', () => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { scripts: Readonly<Record<string, string>> }
    const asked = PAGES.flatMap(({ text }) => [...text.matchAll(/\bnpm (?:run ([a-z:]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short ?? ''))
    expect([...new Set(asked)].filter((name) => !(name in scripts))).toEqual([])
    expect(asked).toEqual(expect.arrayContaining(['demo', 'start', 'test']))
  })

  test('every hato command is understood by the command line', () => {
    const asked = [...new Set(PAGES.flatMap(({ text }) => hatoCommands(text)))]
    const wrong = asked.flatMap((line) => {
      const understood = understand(line.split(' ').filter(Boolean), COMMANDS)
      return understood.kind === 'wrong' ? [`npx hato ${line}: ${understood.message}`] : []
    })
    expect(wrong).toEqual([])
    expect(asked.length).toBeGreaterThan(10)
  })

  test('a file or command that is not there is noticed', () => {
    expect(filesIn('`services/scheduler/nothing.ts` and `services/<role>/main.ts`')).toEqual(['services/scheduler/nothing.ts'])
    expect(hatoCommands('`npx hato fly TENANT/ID`\n    npx hato ip [ADDRESS]   # all of them')).toEqual(['fly TENANT/ID', 'ip ADDRESS'])
    expect(understand(['fly', 'TENANT/ID'], COMMANDS).kind).toBe('wrong')
    expect(leads('README.md', 'nowhere.md')).toBe(false)
    expect(leads('README.md', 'ARCHITECTURE.md#no-such-heading')).toBe(false)
  })
})

describe('why is my mail waiting', () => {
  test.each([
    ['services/scheduler/releaser.ts', RELEASE_WORDS],
    ['services/domain-router/policy/gates.ts', SITE_WORDS],
    ['services/domain-router/policy/waits.ts', SITE_WORDS],
    ['services/ip-manager/policy/lending.ts', SOURCE_WORDS],
  ])('every reason written out in %s has its row', (file, words) => {
    const said = reasonsIn(file, readFileSync(join(PROJECT, file), 'utf8'))
    expect(said.filter((word) => !(word in words))).toEqual([])
    expect(said.length).toBeGreaterThan(0)
  })

  test('every row has its reason in the code', () => {
    const said = (file: string) => reasonsIn(file, readFileSync(join(PROJECT, file), 'utf8'))
    const sites = ['services/domain-router/policy/gates.ts', 'services/domain-router/policy/waits.ts'].flatMap(said)
    const releases = ['services/scheduler/releaser.ts', 'services/scheduler/due.ts', 'services/scheduler/policy/allotments.ts'].flatMap(said)
    expect(Object.keys(RELEASE_WORDS).filter((word) => !releases.includes(word))).toEqual([])
    expect(Object.keys(SITE_WORDS).filter((word) => !sites.includes(word))).toEqual([])
  })
})

/** Headings as the usual renderers name them. */
function leads(from: string, target: string): boolean {
  const [path = '', heading] = target.split('#')
  const file = path === '' ? from : join(dirname(from), path)
  if (!existsSync(join(PROJECT, file))) return false
  if (heading === undefined) return true
  const headings = [...readFileSync(join(PROJECT, file), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text)
  return headings.some(
    (text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-') === heading,
  )
}

/** Without code, in which `](` is no link. */
function prose(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
}

/** Paths in code marks; those with a placeholder are forms, not files. */
function filesIn(text: string): string[] {
  const paths = [...text.matchAll(/`((?:protocol|services|scripts|test|\.ci)\/[^`\s]*|[A-Z]+\.md|\.dependency-cruiser\.mjs|biome\.json)`/g)].map(
    ([, path = '']) => path,
  )
  return [...new Set(paths.filter((path) => !/[<>*{…]/.test(path)))]
}

/** `npx hato ip [ADDRESS]   # comment` → `ip ADDRESS`; ends where the code does. */
function hatoCommands(text: string): string[] {
  return [...text.matchAll(/\bnpx hato ([^`\n|]*)/g)].flatMap(([, line = '']) => {
    const command = line
      .split(/\s{2,}|\s[#>&]|;/)[0]
      ?.replace(/[[\]'"]/g, '')
      .replace(/…/g, '')
      .trim()
    return command ? [command] : []
  })
}

/** Texts that stand as the `because` of an object. */
function reasonsIn(file: string, text: string): string[] {
  const reasons: string[] = []
  inspect(file, text, (node) => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'because') gather(node.initializer, reasons)
    return null
  })
  // lending.ts hands its reasons to `nothing(because, until)`.
  inspect(file, text, (node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'nothing' && node.arguments[0]) gather(node.arguments[0], reasons)
    return null
  })
  return reasons
}

function gather(node: ts.Node, reasons: string[]): void {
  if (ts.isStringLiteral(node)) reasons.push(node.text)
  ts.forEachChild(node, (child) => gather(child, reasons))
}
