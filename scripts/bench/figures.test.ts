import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endToEnd, type Figure, median, ratio, rowsOf, spread } from './figures.ts'

const figure = (contender: string, round: number, lastReplyMs: number, finishedMs: number | null = null): Figure => ({
  contender,
  cell: { bodyKb: 10, dkim: 'none' },
  round,
  mails: 1_000,
  lastReplyMs,
  finishedMs,
})

describe('the median', () => {
  it('is the middle one, or halfway between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow(RangeError)
  })

  it('has as many values above as below, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values)
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(median(values.toReversed())).toBe(middle)
      }),
    )
  })
})

describe('rows', () => {
  it('gather the rounds of a contender and cell, and one outlier moves nothing', () => {
    const [hato, peer] = rowsOf([
      figure('hato', 1, 1_000, 2_000),
      figure('peer', 1, 500),
      figure('hato', 2, 1_000, 2_000),
      figure('peer', 2, 50_000),
      figure('hato', 3, 100_000, 200_000),
      figure('peer', 3, 500),
    ])
    expect(hato).toMatchObject({ contender: 'hato', median: 1_000, toFinished: 500 })
    expect(peer).toMatchObject({ contender: 'peer', median: 2_000, toFinished: null, rates: [2_000, 20, 2_000] })
  })

  it('compare by the slower of the last reply and the own word', () => {
    const [hato, peer] = rowsOf([figure('hato', 1, 1_000, 2_000), figure('peer', 1, 1_000)])
    expect(hato && peer && endToEnd(peer) / endToEnd(hato)).toBe(2)
  })
})

it('ratios have two digits that matter, spreads are half the range', () => {
  expect([ratio(30, 100), ratio(420, 100), ratio(1_234, 100)]).toEqual(['0.30×', '4.2×', '12×'])
  expect(spread([90, 100, 110])).toBe('±10 %')
})
