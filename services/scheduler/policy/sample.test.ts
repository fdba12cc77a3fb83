import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLarge, newSample, sampleRoom, shuffled } from './sample.ts'

describe('the sample', () => {
  it('is 2 % of a site, 250 at least, and everybody where there are no more', () => {
    const silent = () => 1_000
    expect(sampleRoom(newSample(), 250, silent)).toBe(Number.POSITIVE_INFINITY)
    expect(sampleRoom(newSample(), 251, silent)).toBe(250)
    expect(sampleRoom(newSample(), 10_000, silent)).toBe(250)
    expect(sampleRoom(newSample(), 1_000_000, silent)).toBe(20_000)
  })

  it('is waited for until nine of ten have an outcome, then the site is open for good', () => {
    const sample = { released: 250, open: false }
    expect(sampleRoom(sample, 5_000, () => 26)).toBe(0)
    expect(sampleRoom(sample, 5_000, () => 25)).toBe(Number.POSITIVE_INFINITY)
    expect(sampleRoom(sample, 5_000, () => 4_000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is for bulk campaigns of 1,000 and more, and for lists, whose length nobody knows', () => {
    expect(isLarge({ lane: 'bulk', list: null, inline: 999 })).toBe(false)
    expect(isLarge({ lane: 'bulk', list: null, inline: 1_000 })).toBe(true)
    expect(isLarge({ lane: 'bulk', list: {}, inline: null })).toBe(true)
    expect(isLarge({ lane: 'urgent', list: null, inline: 1_000 })).toBe(false)
  })

  it('grows with a list that is still being read', () => {
    const sample = { released: 250, open: false }
    expect(sampleRoom(sample, 5_000, () => 200)).toBe(0)
    expect(sampleRoom(sample, 50_000, () => 200)).toBe(750)
  })

  it('leaves nobody out and repeats nobody, whatever the dice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1 }), (all, throws) => {
        let at = 0
        const mixed = shuffled(all, () => throws[at++ % throws.length] as number)
        expect([...mixed].sort((a, b) => a - b)).toEqual([...all].sort((a, b) => a - b))
      }),
    )
  })
})
