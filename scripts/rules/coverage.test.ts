import { describe, expect, test } from 'vitest'
import { CORPUS } from '../../services/sender/policy/replies/corpus/index.ts'
import { BUILT_IN_RULES } from '../../services/sender/policy/replies/rules/index.ts'
import type { Rule } from '../../services/sender/policy/replies/rule.ts'
import { UNKNOWN } from '../../services/sender/policy/replies/then.ts'
import { readArgs } from './args.ts'
import { type Coverage, coverage, holds } from './coverage.ts'
import { coverageLines } from './show.ts'
import { suppressesWrongly } from './suppressing.ts'

/** Of the corpus, read with the right class and blame. A little below what is reached: a miss may stand where the rules have no way to know. */
const AT_LEAST = 0.98
const FOUND = coverage(BUILT_IN_RULES, CORPUS)

describe('the built-in rules and the corpus', () => {
  test('no row is shadowed', () => {
    expect(FOUND.shadowed).toEqual([])
  })

  test('no valid recipient would be suppressed', () => {
    expect(FOUND.wronglySuppressed).toEqual([])
    expect(holds(FOUND)).toBe(true)
  })

  test('the corpus is large, no row learnt from it, and no reply is in it twice', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(300)
    expect(FOUND.copies).toEqual([])
    const heard = CORPUS.map(({ provider, stage, reply }) => `${provider} ${stage} ${reply}`)
    expect(heard.filter((one, at) => heard.indexOf(one) !== at)).toEqual([])
    expect(FOUND.ownWords / FOUND.replies).toBeGreaterThan(0.7)
  })

  test('class and blame are read right', () => {
    expect(FOUND.right / FOUND.replies).toBeGreaterThanOrEqual(AT_LEAST)
  })
})

describe('the check can fail', () => {
  test('at a block read as an unknown user', () => {
    const found = withRule('microsoft/s3150', (rule) => ({ ...rule, then: UNKNOWN }))
    expect(found.wronglySuppressed.map(({ class: expected }) => expected)).toContain('blocked')
    expect(holds(found)).toBe(false)
  })

  test('at an expression that takes too much', () => {
    const found = withRule('unknown/no-such', (rule) => ({ ...rule, when: /sender|address|user/ }))
    expect(found.wronglySuppressed.length).toBeGreaterThan(0)
    expect(holds(found)).toBe(false)
  })

  test('at a row that stands before others and takes their samples', () => {
    const found = withRule('google/ip-rate', (rule) => ({ ...rule, when: /originating from your/ }))
    expect(found.shadowed).toContainEqual({ id: 'google/dkim-rate', by: ['google/ip-rate'] })
    expect(holds(found)).toBe(false)
  })

  test.each(['unknown/user', 'list/spamhaus', 'mimecast/grey'])('in accuracy, without %s', (id) => {
    expect(coverage(without(id), CORPUS).right).toBeLessThan(FOUND.right)
  })

  test('at a slow entry that comes at once, and at any entry of a mailbox that lives', () => {
    const full = { class: 'mailbox-full', suppress: true } as const
    expect(suppressesWrongly({ class: 'mailbox-full', keep: false }, full)).toBe(false)
    expect(suppressesWrongly({ class: 'mailbox-full', keep: false }, { class: 'unknown-user', suppress: true })).toBe(true)
    expect(suppressesWrongly({ class: 'mailbox-full', keep: true }, full)).toBe(true)
    expect(suppressesWrongly({ class: 'blocked', keep: false }, full)).toBe(true)
    expect(suppressesWrongly({ class: 'blocked', keep: false }, { class: 'unknown-user', suppress: false })).toBe(false)
  })
})

describe('npm run rules', () => {
  test('prints the figures and the confusion table', () => {
    const text = coverageLines(FOUND, (_, plain) => plain).join('\n')
    expect(text).toMatch(/shadowed +0 /)
    expect(text).toMatch(/suppressed +0 /)
    expect(text).toMatch(/^ {3}1 unknown-user +\d/m)
    expect(text).toContain('The rules hold.')
  })

  test('understands coverage, --json and --help, and says what it does not understand', () => {
    expect(readArgs(['coverage'])).toEqual({ command: 'coverage', output: 'screen' })
    expect(readArgs(['coverage', '--json'])).toEqual({ command: 'coverage', output: 'json' })
    expect(readArgs(['--help'])).toBeNull()
    for (const argv of [[], ['fly'], ['coverage', 'more'], ['coverage', '--colour']]) expect(() => readArgs(argv)).toThrow()
  })
})

function withRule(id: string, change: (rule: Rule) => Rule): Coverage {
  expect(BUILT_IN_RULES.map((rule) => rule.id)).toContain(id)
  return coverage(
    BUILT_IN_RULES.map((rule) => (rule.id === id ? change(rule) : rule)),
    CORPUS,
  )
}

function without(id: string): readonly Rule[] {
  return BUILT_IN_RULES.filter((rule) => rule.id !== id)
}
