import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SeenSet } from './seen-set.ts'

it('says of every text once that it is new', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 4 })), (texts) => {
      const [seen, model] = [new SeenSet(), new Set<string>()]
      for (const text of texts) {
        expect(seen.has(text)).toBe(model.has(text))
        expect(seen.add(text)).toBe(!model.has(text))
        model.add(text)
      }
      expect(seen.size).toBe(model.size)
    }),
  )
})

it('holds a hundred thousand addresses', () => {
  const seen = new SeenSet()
  for (let at = 0; at < 100_000; at++) expect(seen.add(`user${at}@example.jp`)).toBe(true)
  for (let at = 0; at < 100_000; at++) if (!seen.has(`user${at}@example.jp`)) throw new Error(`user${at} is gone`)
  expect(seen.has('user100000@example.jp')).toBe(false)
  expect(seen.size).toBe(100_000)
})
