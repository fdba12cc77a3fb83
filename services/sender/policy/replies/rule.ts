import type { Rule, Threshold } from '../../../../protocol/replies/rule.ts'

export type { Rule, Then, Threshold, When } from '../../../../protocol/replies/rule.ts'

/** Rows that all belong to the same providers. */
export function rowsOf(providers: readonly string[], rows: readonly Omit<Rule, 'providers'>[]): readonly Rule[] {
  return rows.map((row) => ({ ...row, providers }))
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** `times(2).within(HOUR_MS)` reads better in a table than two fields. */
export function times(count: number): { within: (perMs: number) => Threshold } {
  return { within: (perMs) => ({ count, perMs }) }
}
