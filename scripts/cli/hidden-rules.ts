import type { Problem } from '../../protocol/campaign.ts'
import { compileRules } from '../../protocol/replies/compile.ts'
import { ruleTable, whoCatches } from '../../protocol/replies/table.ts'
import { BUILT_IN_RULES } from '../../services/sender/policy/replies/rules/index.ts'

const NAMED_MOST = 5

/**
 * Built-in rows that a fleet's `[[rule]]` takes the replies of: the fleet's are asked first, so the sample that taught a built-in row meets the fleet's now.
 * Allowed, often meant, and said: a row of a few common words may switch off what Hato knew of a provider.
 */
export function hiddenBuiltIns(fleetRules: readonly unknown[]): readonly Problem[] {
  const { rules, problems } = compileRules(fleetRules)
  if (rules.length === 0 || problems.length > 0) return []
  const table = ruleTable([...rules, ...BUILT_IN_RULES])
  const hidden = new Map<string, string[]>()
  for (const row of BUILT_IN_RULES)
    for (const by of new Set(whoCatches(table, row))) if (by !== null && rules.some(({ id }) => id === by)) hidden.set(by, [...(hidden.get(by) ?? []), row.id])
  return rules.flatMap(({ id }, at) => {
    const ids = hidden.get(id)
    if (ids === undefined) return []
    const more = ids.length > NAMED_MOST ? ` and ${ids.length - NAMED_MOST} more` : ''
    return [{ path: `rule[${at}]`, message: `"${id}" is asked before built-in rows and takes their replies: ${ids.slice(0, NAMED_MOST).join(', ')}${more}` }]
  })
}
