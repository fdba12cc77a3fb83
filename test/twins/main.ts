/**
 * `npm run test:twins`: every scenario that has a twin, in a copy of the tree whose rule is switched off, must fail there.
 * Ends with one plain line `N passed, N failed`, where passed means: seen to fail.
 *
 *   npm run test:twins                    all, one after the other
 *   npm run test:twins -- NAME…           those scenarios
 *   npm run test:twins -- --list          the table, nothing is run
 */
import { parseArgs } from 'node:util'
import { endAll } from '../../scripts/check/run.ts'
import { readTwins, scenarioTable } from '../../scripts/docs/twins.ts'
import { copyTree } from './copy.ts'
import { type Tried, tryTwin } from './try.ts'

const { values, positionals } = parseArgs({ options: { list: { type: 'boolean', default: false } }, allowPositionals: true })
const twins = readTwins()
const unknown = positionals.filter((name) => !twins.some(({ scenario }) => scenario === name))
if (unknown.length > 0) {
  process.stderr.write(`npm run test:twins: no twin of the name ${unknown.join(', ')}; there is ${twins.map(({ scenario }) => scenario).join(', ')}\n`)
  process.exit(2)
}
if (values.list) {
  print(scenarioTable())
  process.exit(0)
}

const copy = copyTree()
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    endAll()
    copy[Symbol.dispose]()
    process.exit(code)
  })
}

const tried: (Tried & { readonly scenario: string })[] = []
for (const twin of twins.filter(({ scenario }) => positionals.length === 0 || positionals.includes(scenario))) {
  const one = await tryTwin(copy.root, twin).catch((error: unknown): Tried => ({ broke: false, seconds: 0, what: String(error) }))
  tried.push({ ...one, scenario: twin.scenario })
  print(`${one.broke ? 'broke' : 'FAIL '} ${twin.scenario}  ${one.seconds.toFixed(1)} s\n  ${one.what.replaceAll('\n', '\n  ')}`)
}
copy[Symbol.dispose]()

print('')
for (const { scenario, broke, what } of tried) print(`${scenario.padEnd(44)} ${broke ? (what.split('\n')[1] ?? '') : `FAIL: ${what.split('\n')[0]}`}`)
const passed = tried.filter(({ broke }) => broke).length
print(`${passed} passed, ${tried.length - passed} failed`)
process.exit(passed === tried.length && passed > 0 ? 0 : 1)

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
