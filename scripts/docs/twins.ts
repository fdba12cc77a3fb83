/** The scenarios that have a twin (test/kit/twin.ts), read from their files: what they prove, as a table. */
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { code, table } from './table.ts'

const FOLDER = resolve(import.meta.dirname, '../../test/scenarios')
const SUFFIX = '.twin.ts'

export interface NamedTwin {
  readonly scenario: string
  readonly rule: string
  readonly file: string
  readonly is: string
  readonly becomes: string
  readonly breaks: string
}

/** By `require`, which is synchronous: pages are made in one go. */
export function readTwins(): NamedTwin[] {
  const load = createRequire(import.meta.url)
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(SUFFIX))
  return files.sort().map((name) => {
    const { twin } = load(join(FOLDER, name)) as { twin?: Omit<NamedTwin, 'scenario'> }
    if (twin === undefined) throw new Error(`test/scenarios/${name} exports no \`twin\``)
    return { ...twin, scenario: name.slice(0, -SUFFIX.length) }
  })
}

export function scenarioTable(): string {
  return table(
    ['scenario', 'rule', 'without it', 'switched off in'],
    readTwins().map(({ scenario, rule, breaks, file }) => [`[${scenario}](${scenario}.test.ts)`, rule, breaks, code(file)]),
  )
}
