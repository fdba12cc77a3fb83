/**
 * The fleet file as people write it (TOML, design §4) → the document `fleet.apply` takes: every problem with its line, keys read from their files.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import type { z } from 'zod'
import type { Problem } from '../../protocol/campaign.ts'
import { Fleet } from '../../protocol/fleet.ts'
import { compileRules } from '../../protocol/replies/compile.ts'
import { RetryConfig } from '../../protocol/retry-config.ts'
import { BadConfig } from '../../services/runtime/errors.ts'
import { nearest } from '../../services/runtime/nearest.ts'
import { type LineOf, tomlLines } from './toml-lines.ts'

/** Throws BadConfig with every problem, a line each: `fleet.toml:17: ip[0].warmsince is not a key there; did you mean warm_since?` */
export async function readFleetFile(path: string): Promise<Fleet> {
  const text = await readText(path)
  const table = parseToml(path, text)
  const lineOf = tomlLines(text)
  const keyProblems = await embedKeys(table, dirname(path))
  const read = Fleet.safeParse(table)
  const problems = [...(read.success ? laterChecks(read.data) : read.error.issues.flatMap((issue) => placed(issue, [], Fleet))), ...keyProblems]
  if (problems.length > 0) throw new BadConfig(shown(path, problems, lineOf))
  return read.data as Fleet
}

interface Placed {
  readonly path: readonly PropertyKey[]
  /** goes on behind the path: `: must be …` or ` is not a key there` */
  readonly says: string
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new BadConfig(`the fleet file ${path} cannot be read: ${reason(error)}`)
  }
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [first = '', ...block] = error.message.split('\n')
    throw new BadConfig([`${path}:${error.line}: ${first.replace(/^Invalid TOML document: /, 'this is no TOML: ')}`, ...block].join('\n').trimEnd())
  }
}

/** A `key`, or `ca`, that is a path becomes the PEM that stands there. */
async function embedKeys(table: Record<string, unknown>, folder: string): Promise<Placed[]> {
  const problems: Placed[] = []
  const rows = Array.isArray(table.dkim) ? (table.dkim as Record<string, unknown>[]) : []
  for (const [at, row] of rows.entries()) {
    if (typeof row.key !== 'string' || row.key.includes('-----BEGIN')) continue
    const file = resolve(folder, row.key)
    try {
      row.key = await readFile(file, 'utf8')
    } catch (error) {
      problems.push({ path: ['dkim', at, 'key'], says: `: ${file} cannot be read: ${reason(error)}` })
    }
  }
  const tls = table.tls as Record<string, unknown> | undefined
  if (typeof tls?.ca === 'string' && !tls.ca.includes('-----BEGIN')) {
    const file = resolve(folder, tls.ca)
    try {
      tls.ca = await readFile(file, 'utf8')
    } catch (error) {
      problems.push({ path: ['tls', 'ca'], says: `: ${file} cannot be read: ${reason(error)}` })
    }
  }
  return problems
}

/** What the document's schema leaves to others: [retry] and [[rule]]. */
function laterChecks(fleet: Fleet): Placed[] {
  const retry = RetryConfig.safeParse(fleet.retry ?? {})
  const rules = compileRules(fleet.rule).problems
  return [
    ...(retry.success ? [] : retry.error.issues.flatMap((issue) => placed(issue, ['retry'], RetryConfig))),
    ...rules.map((problem) => ({ path: pathOf(problem), says: `: ${problem.message}` })),
  ]
}

/** `rule[2].text` → `['rule', 2, 'text']`. */
function pathOf({ path }: Problem): (string | number)[] {
  return [...path.matchAll(/[^.[\]]+/g)].map(([part]) => (/^\d+$/.test(part) ? Number(part) : part))
}

function placed(issue: z.core.$ZodIssue, within: readonly PropertyKey[], schema: unknown): Placed[] {
  const path = [...within, ...issue.path]
  if (issue.code !== 'unrecognized_keys') return [{ path, says: `: ${issue.message}` }]
  const known = keysAt(schema, issue.path)
  return issue.keys.map((key) => {
    const meant = nearest(key, known)
    return {
      path: [...path, key],
      says: ` is not a key there; ${meant === null ? `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}` : `did you mean ${meant}?`}`,
    }
  })
}

interface Layer {
  readonly shape?: Readonly<Record<string, unknown>>
  readonly element?: unknown
  readonly unwrap?: () => unknown
}

/** The keys a strict table of the schema has at a path. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  let layer = bare(schema)
  for (const part of path) layer = bare(typeof part === 'number' ? layer?.element : layer?.shape?.[String(part)])
  return Object.keys(layer?.shape ?? {})
}

/** Without `.optional()` and `.default()` around it. NOTE: an array's `unwrap` is its element, which is no wrapping. */
function bare(schema: unknown): Layer | undefined {
  let layer = schema as Layer | undefined
  while (layer?.unwrap !== undefined && layer.element === undefined) layer = layer.unwrap() as Layer | undefined
  return layer
}

function shown(path: string, problems: readonly Placed[], lineOf: LineOf): string {
  const lines = problems.map((problem) => ({ line: lineOf(problem.path) ?? 1, text: dotted(problem.path) + problem.says }))
  return lines
    .sort((a, b) => a.line - b.line)
    .map(({ line, text }) => `${path}:${line}: ${text}`)
    .join('\n')
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`)).join('')
}

/** `no such file or directory`, without Node's own decoration. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return /^[A-Z]+: ([^,]+)/.exec(text)?.[1] ?? text
}
