import type { Problem } from '../campaign.ts'
import { type ReplyRule, readExpression, readReplyRules } from './reply-rules.ts'
import type { Rule, Then, When } from './rule.ts'
import { ruleTable, whoCatches } from './table.ts'

/** The fleet's `[[rule]]` rows as rules, with every problem: shape, expression, its own sample, and rows that an earlier one shadows. */
export function compileRules(rows: readonly unknown[]): { readonly rules: readonly Rule[]; readonly problems: readonly Problem[] } {
  const read = readReplyRules(rows)
  const rules = read.rules.map(ruleOf)
  return { rules, problems: [...read.problems, ...(read.problems.length === 0 ? shadowed(rules) : [])] }
}

function ruleOf(row: ReplyRule): Rule {
  const text = row.text === undefined ? null : readExpression(row.text)
  const when: When = {
    ...(row.code === undefined ? {} : { code: row.code }),
    ...(row.enhanced === undefined ? {} : { enhanced: row.enhanced }),
    ...(text instanceof RegExp ? { text } : {}),
  }
  const then: Then = {
    class: row.class,
    blames: row.blames,
    suppress: row.suppress,
    needsPerson: row.needs_person,
    ...(row.rest === undefined ? {} : { restMs: row.rest }),
    ...(row.threshold === undefined ? {} : { threshold: { count: row.threshold.count, perMs: row.threshold.per } }),
    ...(row.outcome === undefined ? {} : { outcome: row.outcome }),
  }
  return { id: row.id, seen: row.seen, when, then, ...(row.providers ? { providers: row.providers } : {}), ...(row.stages ? { stages: row.stages } : {}) }
}

function shadowed(rules: readonly Rule[]): readonly Problem[] {
  const table = ruleTable(rules)
  return rules.flatMap((rule, at) => {
    const other = whoCatches(table, rule).find((id) => id !== rule.id)
    return other === undefined ? [] : [{ path: `rule[${at}].seen`, message: `"${rule.id}" can never fire: "${other}" stands before it and catches its sample` }]
  })
}
