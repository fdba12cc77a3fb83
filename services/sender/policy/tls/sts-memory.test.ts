import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FETCH_REST_MS, liveAt, REFRESH_MS, type StsKnown, stsStep } from './sts-memory.ts'

const NOW = 1_800_000_000_000
const known = (id: string, ageMs: number, maxAgeS = 604_800): StsKnown => ({
  policy: { id, mode: 'enforce', mx: ['mx.example'], maxAgeS },
  fetchedAt: NOW - ageMs,
})

test.each([
  ['nothing known, nothing announced', null, null, null, 'keep'],
  ['announced for the first time', null, '1', null, 'fetch'],
  ['announced, but its host failed a moment ago', null, '1', NOW - 1_000, 'keep'],
  ['announced, its host failed long enough ago', null, '1', NOW - FETCH_REST_MS, 'fetch'],
  ['known and the same', known('1', 1_000), '1', null, 'keep'],
  ['known and another is announced', known('1', 1_000), '2', null, 'fetch'],
  ['known, the record is gone', known('1', 1_000), null, null, 'keep'],
  ['known for a day', known('1', REFRESH_MS), '1', null, 'refresh'],
  ['known for longer than it asked for', known('1', 700_000_000), '1', null, 'fetch'],
] as const)('%s', (_, before, announced, failedAt, step) => {
  expect(stsStep(before, announced, failedAt, NOW)).toBe(step)
})

test('a policy binds for its max_age, not a moment longer, whatever DNS says meanwhile', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 31_557_600 }), fc.integer({ min: 0, max: 40_000_000 }), (maxAgeS, ageS) => {
      expect(liveAt(known('1', ageS * 1_000, maxAgeS), NOW) !== null).toBe(ageS < maxAgeS)
    }),
  )
})
