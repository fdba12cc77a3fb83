import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ring } from './ring.ts'

test('counts the ones of any range as one by one would, over what has fallen out too', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 1_300 }), fc.integer({ min: -20, max: 1_400 }), fc.integer({ min: -20, max: 1_400 }), (bits, from, to) => {
      const ring = new Ring()
      for (const bit of bits) ring.add(bit)
      const known = bits.map((bit, index) => ({ bit, index })).filter(({ index }) => index >= bits.length - 512 && index >= from && index < to)
      expect(ring.among(from, to)).toEqual({ ones: known.filter(({ bit }) => bit).length, of: known.length })
    }),
    { numRuns: 500 },
  )
})
