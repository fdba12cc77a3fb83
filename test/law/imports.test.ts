/** The import law is only worth its proofs: one planted violation per rule, each caught by the rule that is meant to catch it. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cruise, cruise, overlooked, sources } from '../../scripts/check/imports.ts'

const PROJECT = resolve(import.meta.dirname, '../..')

/** What the planted files import; not guilty of anything themselves. */
const SCENERY = {
  'protocol/words.ts': 'export const word = 1\nexport type Word = number',
  'services/runtime/clock.ts': "import { word } from '../../protocol/words.ts'\nexport const now = () => word",
  'services/runtime/bus.ts': "import { connect } from 'nats'\nimport { Kvm } from '@nats-io/kv'\nexport const bus = { connect, Kvm }",
  'services/content/mime.ts': "import { word } from '../../protocol/words.ts'\nexport const mime = word",
  'services/sender/actor.ts':
    "import { now } from '../runtime/clock.ts'\nimport { mime } from '../content/mime.ts'\nimport { state } from './state.ts'\nexport const actor = [now, mime, state]",
  'services/sender/state.ts':
    "import { word } from '../../protocol/words.ts'\nimport { pick } from './policy/pick.ts'\nimport type { z } from 'zod'\nexport const state = [word, pick]\nexport type S = z.ZodType",
  'services/sender/policy/pick.ts': "import type { Word } from '../../../protocol/words.ts'\nexport const pick = (word: Word) => word",
  'services/sender/policy/pick.test.ts':
    "import { test } from 'vitest'\nimport { tree } from '../../../test/kit/tree.ts'\nimport { readFileSync } from 'node:fs'\nimport { pick } from './pick.ts'\ntest(tree, () => { pick(readFileSync.length) })",
  'services/sender/disk.ts': "import { readFileSync } from 'node:fs'\nexport const disk = readFileSync",
  'services/ip-manager/modes.ts': 'export const modes = 1',
  'scripts/tool.ts': "import { connect } from 'nats'\nimport { bus } from '../services/runtime/bus.ts'\nexport const tool = [connect, bus]",
  'test/kit/tree.ts':
    "import { Kvm } from '@nats-io/kv'\nimport fc from 'fast-check'\nimport { tool } from '../../scripts/tool.ts'\nexport const tree = String([Kvm, fc, tool])",
}

/** file → [what stands in it, the rule it breaks]. */
const PLANTED: Readonly<Record<string, readonly [source: string, rule: string]>> = {
  'protocol/imports-runtime.ts': ["export { now } from '../services/runtime/clock.ts'", 'protocol-is-alone'],
  'protocol/imports-runtime-type.ts': ["import type { bus } from '../services/runtime/bus.ts'\nexport type Bus = typeof bus", 'protocol-is-alone'],
  'protocol/imports-builtin.ts': ["export { readFileSync } from 'node:fs'", 'protocol-is-alone'],
  'protocol/imports-package.ts': ["export { parse } from 'tldts'", 'protocol-is-alone'],
  'services/sender/imports-other-service.ts': ["export { modes } from '../ip-manager/modes.ts'", 'service-knows-no-service'],
  'services/sender/imports-other-type.ts': [
    "import type { modes } from '../ip-manager/modes.ts'\nexport type Modes = typeof modes",
    'service-knows-no-service',
  ],
  'services/sender/imports-lazily.ts': ["export const lazy = () => import('../ip-manager/modes.ts')", 'service-knows-no-service'],
  'services/runtime/imports-service.ts': ["export { modes } from '../ip-manager/modes.ts'", 'runtime-knows-no-service'],
  'services/runtime/imports-content.ts': ["export { mime } from '../content/mime.ts'", 'runtime-knows-no-service'],
  'services/content/imports-runtime.ts': ["export { now } from '../runtime/clock.ts'", 'content-knows-no-service'],
  'scripts/imports-unknown-service.ts': ["export { u } from '../services/utils/u.ts'", 'only-known-services'],
  'services/sender/imports-script.ts': ["export { tool } from '../../scripts/tool.ts'", 'services-know-no-scripts'],
  'scripts/imports-test.ts': ["export { tree } from '../test/kit/tree.ts'", 'nothing-knows-test'],
  'services/sender/imports-test-file.ts': ["import './policy/pick.test.ts'", 'nothing-knows-test'],
  'services/scheduler/policy/reads-disk.ts': ["export { readFileSync } from 'node:fs'", 'pure-imports-no-io'],
  'services/scheduler/policy/uses-timers.ts': ["export { setTimeout } from 'node:timers/promises'", 'pure-imports-no-io'],
  'services/scheduler/policy/uses-mailer.ts': ["export { createTransport } from 'nodemailer'", 'pure-imports-no-io'],
  'services/sender/policy/reads-disk-through-another.ts': ["export { disk } from '../disk.ts'", 'pure-imports-no-io'],
  'services/ip-manager/state.ts': ["export { lookup } from 'node:dns/promises'", 'pure-imports-no-io'],
  'services/scheduler/state.ts': ["export { now } from '../runtime/clock.ts'", 'pure-imports-no-shell'],
  'services/scheduler/policy/knows-clock-type.ts': ["import type { now } from '../../runtime/clock.ts'\nexport type Now = typeof now", 'pure-imports-no-shell'],
  'services/ip-manager/imports-nats.ts': ["export { connect } from 'nats'", 'nats-only-in-runtime'],
  'services/ip-manager/imports-kv.ts': ["export { Kvm } from '@nats-io/kv'", 'nats-only-in-runtime'],
  'services/ip-manager/imports-jetstream-type.ts': [
    "import type { JetStreamClient } from '@nats-io/jetstream'\nexport type J = JetStreamClient",
    'nats-only-in-runtime',
  ],
  'services/content/circle-a.ts': ["import { b } from './circle-b.ts'\nexport const a = () => b", 'no-circle'],
  'services/runtime/imports-dev-dependency.ts': ["export { integer } from 'fast-check'", 'no-dev-dependency'],
  'services/runtime/imports-undeclared.ts': ["export { parse } from 'acorn'", 'only-declared-packages'],
  'services/runtime/imports-nowhere.ts': ["export { gone } from './gone.ts'", 'everything-resolves'],
}

let root: string
let cruised: Cruise

beforeAll(async () => {
  // Inside the project, so that packages resolve as they do for our own files.
  mkdirSync(join(PROJECT, '.cache'), { recursive: true })
  root = mkdtempSync(join(PROJECT, '.cache/law-'))
  copyFileSync(join(PROJECT, 'package.json'), join(root, 'package.json'))
  for (const [file, source] of Object.entries(SCENERY)) write(file, source)
  for (const [file, [source]] of Object.entries(PLANTED)) write(file, source)
  write('services/utils/u.ts', 'export const u = 1')
  write('services/content/circle-b.ts', "import { a } from './circle-a.ts'\nexport const b = () => a")
  cruised = await cruise(root)
}, 60_000)

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('the import law', () => {
  test.each(Object.entries(PLANTED).map(([file, [, rule]]) => ({ file, rule })))('$rule catches $file', ({ file, rule }) => {
    expect(cruised.violations.filter(({ from }) => from === file).map((violation) => violation.rule)).toContain(rule)
  })

  test('has a planted violation for every rule', () => {
    const proven = new Set(Object.values(PLANTED).map(([, rule]) => rule))
    expect(cruised.rules.length).toBeGreaterThan(10)
    expect(cruised.rules.filter((rule) => !proven.has(rule))).toEqual([])
  })

  test('finds nothing in files that keep it', () => {
    expect(cruised.violations.filter(({ from }) => from in SCENERY)).toEqual([])
  })

  test('is not green about a file that was not looked into', async () => {
    expect(overlooked(['protocol/words.ts', 'lib/stray.ts'], cruised.modules)).toEqual(['not cruised: lib/stray.ts'])
  })

  test('looks into every source file that git lists', async () => {
    const ours = sources(PROJECT)
    const { modules } = await cruise(PROJECT)
    expect(ours).toContain('test/law/imports.test.ts')
    expect(overlooked(ours, modules)).toEqual([])
  }, 60_000)
})

function write(file: string, source: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), `${source}\n`)
}
