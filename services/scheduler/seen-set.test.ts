import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SeenSet } from './seen-set.ts'

it('says of every text once that it is new', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 4 })), fc.constantFrom(0, 990, 1_100), (texts, before) => {
      const [seen, model] = [new SeenSet(), new Set<string>()]
      for (let at = 0; at < before; at++) seen.add(`before ${at}`)
      for (const text of texts) {
        expect(seen.has(text)).toBe(model.has(text))
        expect(seen.add(text)).toBe(!model.has(text))
        model.add(text)
      }
      expect(seen.size).toBe(before + model.size)
      for (let at = 0; at < before; at++) if (seen.add(`before ${at}`)) throw new Error(`${at} was forgotten`)
    }),
  )
})

it('holds three hundred thousand addresses in some 16 octets each, and leaves nothing for the collector as it grows', () => {
  const seen = new SeenSet()
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let at = 0; at < 300_000; at++) {
    if (!seen.add(`user${at}@example.jp`)) throw new Error(`user${at} was there`)
    if (at % 1_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  for (let at = 0; at < 300_000; at++) if (!seen.has(`user${at}@example.jp`)) throw new Error(`user${at} is gone`)
  expect(seen.has('user300000@example.jp')).toBe(false)
  expect(seen.size).toBe(300_000)
  expect(most / seen.size).toBeLessThan(20)
})
