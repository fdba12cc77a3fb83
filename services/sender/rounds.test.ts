import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Rounds } from './rounds.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('rounds go on while leases are held, end with the last one and begin again with the next', () => {
  let [held, fast, slow] = [0, 0, 0]
  using rounds = new Rounds(
    [
      { everyMs: 100, turn: () => fast++ },
      { everyMs: 1_000, turn: () => slow++ },
    ],
    () => held > 0,
  )
  vi.advanceTimersByTime(5_000)
  expect([fast, slow, vi.getTimerCount()]).toEqual([0, 0, 0])
  held = 1
  rounds.begin()
  rounds.begin()
  vi.advanceTimersByTime(2_000)
  expect([fast, slow]).toEqual([20, 2])
  held = 0
  vi.advanceTimersByTime(2_000)
  expect([fast, slow, vi.getTimerCount()]).toEqual([21, 2, 0])
  held = 1
  rounds.begin()
  vi.advanceTimersByTime(100)
  expect(fast).toBe(22)
})
