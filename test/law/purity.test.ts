/** What an import law cannot see: globals. Files that decide get time, dice and the outside as arguments. */
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { type Finding, inspect, ourSources, show } from './sources.ts'

const PURE = /^(protocol\/|services\/[^/]+\/(policy\/|state\.ts$))/
const GLOBAL_OBJECTS = new Set(['performance', 'process', 'console', 'crypto'])
const GLOBAL_FUNCTIONS = new Set(['setTimeout', 'setInterval', 'setImmediate', 'fetch'])
const MEMBERS = new Set(['Date.now', 'Math.random'])

describe('files that decide', () => {
  test('use no clock, dice, timer, log or environment', () => {
    const findings = [...ourSources(['protocol', 'services'])].filter(({ file }) => PURE.test(file)).flatMap(({ file, text }) => impurities(file, text))
    expect(findings.map(show)).toEqual([])
  })

  test.each([
    'const now = Date.now()',
    'const now = new Date()',
    'const dice = Math.random()',
    'const now = performance.now()',
    'setTimeout(wake, 10)',
    "console.log('x')",
    'const id = crypto.randomUUID()',
    'const home = process.env.HOME',
  ])('are caught at %s', (source) => {
    expect(impurities('protocol/planted.ts', source)).toHaveLength(1)
  })

  test.each(['const day = new Date(now).toISOString()', 'const max = Math.max(1, 2)', 'const at = order.process.now', 'const ms = Date.parse(text)'])(
    'may say %s',
    (source) => {
      expect(impurities('protocol/planted.ts', source)).toEqual([])
    },
  )
})

function impurities(file: string, text: string): Finding[] {
  return inspect(file, text, (node) => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const owner = node.expression.text
      if (GLOBAL_OBJECTS.has(owner) || MEMBERS.has(`${owner}.${node.name.text}`)) return `${owner}.${node.name.text}`
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date()'
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && GLOBAL_FUNCTIONS.has(node.expression.text)) return `${node.expression.text}()`
    return null
  })
}
