import { expect, test } from 'vitest'
import { earn, earnedAt } from './pace.ts'

test('a pace earns at most one second ahead, and a batch may go into debt that has to be earned', () => {
  const pace = { allowed: 0, at: 0 }
  earn(pace, 50, 1_000)
  expect(pace.allowed).toBe(1)
  earn(pace, 50, 61_000)
  expect(pace.allowed).toBe(50)
  pace.allowed -= 100
  expect(earnedAt(pace, 50, 61_000)).toBe(61_000 + (51 / 50) * 1_000)
  earn(pace, 50, 62_020)
  expect(pace.allowed).toBeCloseTo(1)
  expect(earnedAt(pace, 50, 62_020)).toBe(62_020)
})
