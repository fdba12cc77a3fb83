import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LostDots } from './lost-dots.ts'

test('five lost dots are accidents, the sixth is too many', () => {
  const dots = new LostDots()
  expect([1, 2, 3, 4, 5, 6, 7].map(() => dots.unanswered('a.example'))).toEqual([false, false, false, false, false, true, true])
  expect(dots.unanswered('b.example')).toBe(false)
})

test('whatever comes in whatever order: too many are more than five and more than one in a hundred of the last 500', () => {
  const runs = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 120 })), { maxLength: 30 })
  fc.assert(
    fc.property(runs, (given) => {
      const dots = new LostDots()
      const all: boolean[] = []
      for (const [lost, times] of given) {
        for (let n = 0; n < (lost ? Math.min(times, 8) : times); n++) {
          all.push(lost)
          const last = all.slice(-500)
          const count = last.filter(Boolean).length
          if (!lost) dots.answered('a.example')
          else expect(dots.unanswered('a.example')).toBe(count > 5 && count > 0.01 * last.length)
        }
      }
    }),
  )
})
