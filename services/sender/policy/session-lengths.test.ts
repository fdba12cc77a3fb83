import { expect, test } from 'vitest'
import { SessionLengths } from './session-lengths.ts'

const DAY = 86_400_000
const HOST = '192.0.2.9'

test('a host that closes twice after the same count is not asked for more in one session, for a day', () => {
  const lengths = new SessionLengths()
  lengths.ended(HOST, 20, 5, 0)
  expect(lengths.most(HOST, 1)).toBe(Number.POSITIVE_INFINITY)
  lengths.ended(HOST, 20, 5, 2)
  expect(lengths.most(HOST, 3)).toBe(20)
  expect(lengths.most('192.0.2.8', 3)).toBe(Number.POSITIVE_INFINITY)
  expect(lengths.most(HOST, 3 + DAY)).toBe(Number.POSITIVE_INFINITY)
})

test('closes after other counts, before a mail, or after a silence are no limit', () => {
  const lengths = new SessionLengths()
  lengths.ended(HOST, 7, 5, 0)
  lengths.ended(HOST, 20, 5, 1)
  lengths.ended(HOST, 0, 5, 2)
  lengths.ended(HOST, 20, 30_000, 3)
  expect(lengths.most(HOST, 4)).toBe(Number.POSITIVE_INFINITY)
})
