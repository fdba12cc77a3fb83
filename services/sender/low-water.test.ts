import { expect, it } from 'vitest'
import { LowWater } from './low-water.ts'

function toldAt(filled: number, pacePerS: number): number[] {
  const water = new LowWater()
  water.filled(filled, pacePerS)
  return Array.from({ length: filled }, (_, n) => filled - 1 - n).filter((queued) => water.reached(queued))
}

it('is told once: a second before the end, or at half of what was little for the pace', () => {
  expect(toldAt(1_000, 100)).toEqual([100])
  expect(toldAt(1_000, 5_000)).toEqual([200])
  expect(toldAt(1_000, 1)).toEqual([20])
  expect(toldAt(100, 5_000)).toEqual([50])
  expect(toldAt(49, 5_000)).toEqual([])
})

it('is told again after the next filling', () => {
  const water = new LowWater()
  water.filled(100, 5_000)
  expect([water.reached(50), water.reached(49)]).toEqual([true, false])
  water.filled(149, 5_000)
  expect([water.reached(75), water.reached(74)]).toEqual([false, true])
})
