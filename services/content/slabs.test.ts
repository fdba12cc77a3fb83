import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pooledSlabs } from './slabs.ts'

const MB = 1_048_576

test('no slab has two holders, each is large enough, and what came back last goes first', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 40_000 }), fc.constantFrom('give' as const)), { maxLength: 60 }), (steps) => {
      const slabs = pooledSlabs()
      const held: Buffer[] = []
      for (const step of steps) {
        if (step === 'give') {
          const slab = held.pop()
          if (slab === undefined) continue
          slabs.give(slab)
          const again = slabs.take(slab.length)
          expect(again === slab).toBe(true) // NOTE `toBe` and `toContain` compare and print buffers octet by octet
          slabs.give(again)
          continue
        }
        const slab = slabs.take(step)
        expect(slab.length).toBeGreaterThanOrEqual(step)
        expect(held.includes(slab)).toBe(false)
        held.push(slab)
      }
    }),
  )
})

test('what lies idle is bounded, and a very large one is not kept', () => {
  const slabs = pooledSlabs()
  const held = Array.from({ length: 20 }, () => slabs.take(MB))
  for (const slab of held) slabs.give(slab)
  const again = Array.from({ length: 20 }, () => slabs.take(MB))
  expect(again.filter((slab) => held.includes(slab))).toHaveLength(16)
  const large = slabs.take(MB + 1)
  slabs.give(large)
  expect(slabs.take(MB + 1) === large).toBe(false)
})
