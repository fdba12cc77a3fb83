import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { every, nextBeat } from './wheel.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

test('who begins at whatever moment, what is due together comes in one wake-up', () => {
  vi.advanceTimersByTime(137)
  const turns: [string, number][] = []
  const say = (who: string) => () => void turns.push([who, performance.now()])
  using one = every(1_000, say('one'))
  vi.advanceTimersByTime(250)
  using two = every(2_000, say('two'))
  using half = every(500, say('half'))
  const armed = vi.spyOn(globalThis, 'setTimeout')
  vi.advanceTimersByTime(3_700)
  expect(turns.map(([who, at]) => `${who} ${at}`).toSorted()).toEqual(
    [
      'half 500',
      'half 1000',
      'half 1500',
      'half 2000',
      'half 2500',
      'half 3000',
      'half 3500',
      'half 4000',
      'one 1000',
      'one 2000',
      'one 3000',
      'one 4000',
      'two 2000',
      'two 4000',
    ].toSorted(),
  )
  expect(armed.mock.calls.length).toBe(8) // as many as there are moments
  void [one, two, half]
})

test('who is let go comes no more, even in the very wake-up; a turn that throws ends nobody else', () => {
  const turns: string[] = []
  const bad = every(100, () => {
    bad[Symbol.dispose]()
    late[Symbol.dispose]()
    throw new Error('a bug')
  })
  const late = every(100, () => void turns.push('late'))
  using good = every(200, () => void turns.push('good'))
  expect(() => vi.advanceTimersByTime(150)).toThrow('a bug')
  vi.advanceTimersByTime(100)
  expect(turns).toEqual(['good'])
  void good
})

test('the next beat is a multiple ahead, a period away at most, and never the one that has just been', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 50, max: 100_000 }), (now, periodMs) => {
      const beat = nextBeat(now, periodMs)
      expect(beat % periodMs).toBe(0)
      expect(beat).toBeGreaterThan(now + 1)
      expect(beat).toBeLessThanOrEqual(now + periodMs + 2)
      expect(nextBeat(beat - 1, periodMs)).toBe(beat + periodMs) // a timer that fired a millisecond early
    }),
  )
})
