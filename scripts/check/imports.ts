/** The import law: runs dependency-cruiser over a tree and says in words what breaks it. The rules are in .dependency-cruiser.mjs. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ICruiseResult } from 'dependency-cruiser'
import { runNode } from './run.ts'

const PROJECT = resolve(import.meta.dirname, '../..')
const CRUISER = join(PROJECT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
const LAW = join(PROJECT, '.dependency-cruiser.mjs')
const LIMIT_MS = 3 * 60_000

/** The folders that hold our sources. A source file anywhere else is reported as not looked into. */
const FOLDERS = ['protocol', 'services', 'scripts', 'test']

/** Not modules of the program: the configuration of tools, read by the tools themselves. */
const TOOL_FILES = new Set(['vitest.config.ts', '.dependency-cruiser.mjs'])

export type Violation = { readonly rule: string; readonly from: string; readonly to: string }
export type Cruise = { readonly violations: readonly Violation[]; readonly modules: ReadonlySet<string>; readonly rules: readonly string[] }

/** Every breach of the law in the tree at `root`, one line each; none means that it holds for every source file there. */
export async function breaches(root: string): Promise<string[]> {
  const { violations, modules } = await cruise(root)
  return [...violations.map(({ rule, from, to }) => `${rule}: ${from} → ${to}`), ...overlooked(sources(root), modules)]
}

/** The files among `expected` that the cruiser did not read, as complaints: a law that passes over files is no law. */
export function overlooked(expected: readonly string[], modules: ReadonlySet<string>): string[] {
  return expected.filter((file) => !modules.has(file)).map((file) => `not cruised: ${file}`)
}

/** What the cruiser read and found below `root`. Throws when it fails itself. */
export async function cruise(root: string): Promise<Cruise> {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)))
  const { stdout, stderr, code } = await runNode([CRUISER, '--config', LAW, '--output-type', 'json', ...folders], { cwd: root, limitMs: LIMIT_MS })
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser ended with ${code} and said: ${stderr || stdout}`)
  const { modules, summary } = JSON.parse(stdout) as ICruiseResult
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    modules: new Set(modules.map(({ source }) => source)),
    rules: (summary.ruleSetUsed?.forbidden ?? []).map(({ name }) => name ?? 'unnamed'),
  }
}

/** The source files that git knows or would take; in a copy without git, all in our folders. */
export function sources(root: string): string[] {
  const files = existsSync(join(root, '.git'))
    ? execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split('\n')
    : globSync(`{${FOLDERS.join(',')}}/**`, { cwd: root })
  return files.filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !TOOL_FILES.has(file) && existsSync(join(root, file)))
}
