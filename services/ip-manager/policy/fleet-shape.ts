import type { z } from 'zod'
import { type Problem, problemPath } from '../../../protocol/campaign.ts'
import { Fleet } from '../../../protocol/fleet.ts'

/** The key a person probably meant; null when none is near (runtime's `nearest`). */
export type Suggest = (name: string, known: readonly string[]) => string | null

/** The schema's issues in words; an unknown key is named with the one that was probably meant. */
export function shapeProblems(issues: readonly z.core.$ZodIssue[], suggest: Suggest, schema: unknown = Fleet, within: readonly PropertyKey[] = []): Problem[] {
  return issues.flatMap((issue): Problem | Problem[] => {
    const path = [...within, ...issue.path]
    if (issue.code !== 'unrecognized_keys') return { path: problemPath(path), message: issue.message }
    const known = keysAt(schema, issue.path)
    return issue.keys.map((key) => {
      const meant = suggest(key, known)
      return {
        path: problemPath([...path, key]),
        message: `"${key}" is not a key there; ${meant === null ? `there are ${known.join(', ')}` : `did you mean ${meant}?`}`,
      }
    })
  })
}

interface Layer {
  readonly shape?: Readonly<Record<string, unknown>>
  readonly element?: unknown
  readonly unwrap?: () => unknown
}

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
