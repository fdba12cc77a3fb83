/** Our sources as parsed trees. TypeScript 6 parses: the `typescript-7` that checks types offers no such interface yet. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { sources } from '../../scripts/check/imports.ts'

const PROJECT = resolve(import.meta.dirname, '../..')

export type Finding = { readonly file: string; readonly line: number; readonly what: string }

/** One visit per node of the tree; what the visitor returns becomes a finding at the node's line. */
export function inspect(file: string, text: string, visit: (node: ts.Node) => string | null): Finding[] {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const findings: Finding[] = []
  const walk = (node: ts.Node): void => {
    const what = visit(node)
    if (what !== null) findings.push({ file, line: tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1, what })
    ts.forEachChild(node, walk)
  }
  walk(tree)
  return findings
}

/** Path and text of every source file of the project below one of `folders`, except what stands there only for tests. */
export function* ourSources(folders: readonly string[]): Generator<{ readonly file: string; readonly text: string }> {
  for (const file of sources(PROJECT)) {
    if (!folders.some((folder) => file.startsWith(`${folder}/`)) || /\.(test|fixture|testkit)\.ts$/.test(file)) continue
    yield { file, text: readFileSync(join(PROJECT, file), 'utf8') }
  }
}

export function show({ file, line, what }: Finding): string {
  return `${file}:${line} ${what}`
}
