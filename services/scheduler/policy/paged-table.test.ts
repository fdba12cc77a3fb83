import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PagedTable } from './paged-table.ts'

const word = fc.nat({ max: 0xffff_ffff })
/** Keys that stand in each other's way: few first words, the two ends of all homes among them, beside any others. */
const key = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1, 0x8000_0000, 0xffff_fff0, 0xffff_ffff) }, word),
  fc.nat({ max: 1_500 }),
  fc.constantFrom(1, 3),
)

it('holds what a set of its keys would hold, through any number of growths', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 4_000, size: 'max' }), (keys) => {
      const table = new PagedTable()
      const model = new Set<string>()
      for (const [first, second, third] of keys) {
        expect(table.has(first, second, third)).toBe(model.has(`${first}/${second}/${third}`))
        expect(table.add(first, second, third)).toBe(!model.has(`${first}/${second}/${third}`))
        model.add(`${first}/${second}/${third}`)
      }
      expect(table.size).toBe(model.size)
      for (const [first, second, third] of keys) {
        if (!table.has(first, second, third)) throw new Error(`${first}/${second}/${third} is gone`)
        expect(table.has(first, second, third + 4)).toBe(false)
      }
    }),
    { numRuns: 30 },
  )
})

it('runs over its last home where all keys belong to that', () => {
  const table = new PagedTable()
  for (let at = 0; at < 3_000; at++) expect(table.add(0xffff_ffff, at, 1)).toBe(true)
  for (let at = 0; at < 3_000; at++) if (!table.has(0xffff_ffff, at, 1)) throw new Error(`${at} is gone`)
  expect(table.has(0xffff_ffff, 3_000, 1)).toBe(false)
})

it('takes some 16 octets a key', () => {
  const table = new PagedTable()
  for (let at = 1; at <= 100_000; at++) table.add(Math.imul(at, 0x9e37_79b1) >>> 0, at, 1)
  expect(table.size).toBe(100_000)
  expect(table.octets / table.size).toBeLessThan(18)
})
