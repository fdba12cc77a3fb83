import { describe, expect, it } from 'vitest'
import { BUILT_IN_RULES } from '../../services/sender/policy/replies/rules/index.ts'
import { hiddenBuiltIns } from './hidden-rules.ts'

const row = (change: object) => ({
  id: 'ours',
  seen: '451 4.7.0 unloved',
  text: 'unloved',
  class: 'reputation',
  blames: 'source',
  outcome: 'deferred',
  ...change,
})

describe("a fleet's [[rule]]", () => {
  it('that takes the replies of built-in rows is named with them', () => {
    const some = BUILT_IN_RULES.find(({ id }) => id.startsWith('google/'))
    if (some === undefined) throw new Error('no row of google')
    const code = Number(some.seen.slice(0, 3))
    const [warning, ...others] = hiddenBuiltIns([row({ seen: some.seen, text: undefined, code, providers: ['google'], stages: some.stages })])
    expect(others).toEqual([])
    expect(warning?.path).toBe('rule[0]')
    expect(warning?.message).toContain('"ours" is asked before built-in rows')
    expect(warning?.message).toContain('google/')
  })

  it('that catches only what no built-in row knows is not, nor are rows that are refused anyway', () => {
    expect(hiddenBuiltIns([])).toEqual([])
    expect(hiddenBuiltIns([row({})])).toEqual([])
    expect(hiddenBuiltIns([row({ seen: 'no reply' })])).toEqual([])
  })
})
