import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadline } from './deadline.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('a deadline that is moved on is not met, and the last one is met once, at most one tick late', () => {
  const met: number[] = []
  const start = performance.now()
  const deadline = new Deadline(100, () => met.push(performance.now() - start))
  deadline.set(1_000)
  vi.advanceTimersByTime(900)
  deadline.set(1_000)
  vi.advanceTimersByTime(900)
  expect(met).toEqual([])
  vi.advanceTimersByTime(5_000)
  expect(met).toHaveLength(1)
  expect(met[0]).toBeGreaterThanOrEqual(1_900)
  expect(met[0]).toBeLessThanOrEqual(2_000)
})

test('a shorter deadline after a long one is met in its own time', () => {
  let met = 0
  const deadline = new Deadline(100, () => (met += 1))
  deadline.set(600_000)
  vi.advanceTimersByTime(250)
  deadline.set(150)
  vi.advanceTimersByTime(300)
  expect(met).toBe(1)
  deadline.dispose()
})

test('cleared, it rests without a timer; set again, it works again; disposed, it never does', () => {
  let met = 0
  const deadline = new Deadline(100, () => (met += 1))
  deadline.set(50)
  deadline.clear()
  vi.advanceTimersByTime(1_000)
  expect([met, vi.getTimerCount()]).toEqual([0, 0])
  deadline.set(50)
  vi.advanceTimersByTime(1_000)
  expect(met).toBe(1)
  deadline.set(50)
  deadline.dispose()
  deadline.set(50)
  vi.advanceTimersByTime(1_000)
  expect([met, vi.getTimerCount()]).toEqual([1, 0])
})
