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
  vi.advanceTimersByTime(8_000)
  const of = (wanted: string) => turns.flatMap(([who, at]) => (who === wanted ? [at] : []))
  expect([of('half').length, of('two').length]).toEqual([16, 4])
  expect(of('half')).toEqual(expect.arrayContaining(of('one').filter((at) => at >= (of('half')[0] as number))))
  expect(of('one')).toEqual(expect.arrayContaining(of('two')))
  expect(armed.mock.calls.length).toBe(16) // as many as there are moments
  void [one, two, half]
})

test('who is let go comes no more, even in the very wake-up; a turn that throws ends nobody else', () => {
  const turns: string[] = []
  const bad = every(200, () => {
    bad[Symbol.dispose]()
    late[Symbol.dispose]()
    throw new Error('a bug')
  })
  const late = every(200, () => void turns.push('late'))
  using good = every(200, () => void turns.push('good'))
  expect(() => vi.advanceTimersByTime(250)).toThrow('a bug')
  vi.advanceTimersByTime(200)
  expect(turns.length).toBeGreaterThan(0)
  expect(new Set(turns)).toEqual(new Set(['good']))
  void good
})

test('the next beat is a multiple ahead, a period away at most, and never the one that has just been', () => {
  const phases = fc.double({ min: 0, max: 2e12, noNaN: true })
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 50, max: 100_000 }), phases, (now, periodMs, phase) => {
      const beat = nextBeat(now, periodMs, phase)
      const off = (beat + phase) % periodMs
      expect(Math.min(off, periodMs - off)).toBeLessThan(0.01)
      expect(beat).toBeGreaterThan(now + 1)
      expect(beat).toBeLessThanOrEqual(now + periodMs + 2)
      expect(nextBeat(beat - 1, periodMs, phase)).toBeCloseTo(beat + periodMs, 1) // a timer that fired a millisecond early
    }),
  )
})
