/** The rules of manners that are told by name have their scenario, and each scenario its twin, which can be applied. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readTwins } from '../../scripts/docs/twins.ts'
import { switchOff } from '../kit/twin.ts'
import { judge, type Report } from '../twins/try.ts'

const ROOT = join(import.meta.dirname, '../..')
const SCENARIOS = join(ROOT, 'test/scenarios')

/** How Hato behaves toward receivers, rule by rule (delivery.md). */
const NAMED = [
  '554-at-connect-bounces-nobody',
  '5xx-block-suppresses-nobody',
  'gmail-4.7.28-dkim-does-not-cool-the-ip',
  '365-tenant-5.4.1-rests-the-tenant',
  'unknown-user-after-dot-is-the-recipient',
  '4.2.1-slows-nobody-else',
  '552-too-many-recipients-retries',
  'ten-alike-rest-the-site',
  '101st-recipient-trap',
  '500-vanity-domains-one-box',
  'bad-campaign-cannot-burn-the-pool',
  'gmail-2020-12-15',
  'resolver-says-nxdomain-for-everything',
]

describe('rules that are told by name', () => {
  test.each(NAMED)('%s has a scenario and a twin', (name) => {
    expect(existsSync(join(SCENARIOS, `${name}.test.ts`))).toBe(true)
    expect(readTwins().map(({ scenario }) => scenario)).toContain(name)
  })
})

describe('twins', () => {
  const twins = readTwins()

  for (const twin of twins)
    test(`${twin.scenario}: stands beside its scenario and can be applied`, () => {
      expect(existsSync(join(SCENARIOS, `${twin.scenario}.test.ts`))).toBe(true)
      expect(switchOff(readFileSync(join(ROOT, twin.file), 'utf8'), twin)).toContain(twin.becomes)
      expect(twin.rule).toMatch(/§\d/)
      expect(twin.breaks.length).toBeGreaterThan(20)
    })

  test('none is overlooked', () => {
    const files = readdirSync(SCENARIOS).filter((name) => name.endsWith('.twin.ts'))
    expect(twins.map(({ scenario }) => `${scenario}.twin.ts`)).toEqual(files.sort())
  })
})

describe('a twin counts as seen to fail', () => {
  const one = (status: string, message: string): Report => ({
    testResults: [{ assertionResults: [{ status, fullName: 'keeps the rule', failureMessages: [message] }] }],
  })

  test('only when a test ran and failed', () => {
    expect(judge(one('failed', 'AssertionError: expected 1 to be 0\n    at x.ts:1'), false, '')).toEqual({
      broke: true,
      what: 'keeps the rule\nAssertionError: expected 1 to be 0',
    })
    expect(judge(one('passed', ''), false, '').broke).toBe(false)
  })

  test('not when the file could not be read, the cluster did not start, or nothing came to an end', () => {
    expect(judge({ testResults: [{ message: 'SyntaxError', assertionResults: [] }] }, false, '')).toEqual({ broke: false, what: 'no test ran: SyntaxError' })
    expect(judge(one('failed', 'Error: the supervisor ended (1) before it was ready:'), false, '').broke).toBe(false)
    expect(judge(null, false, 'boom').what).toContain('boom')
    expect(judge(one('failed', 'x'), true, '').broke).toBe(false)
  })
})
