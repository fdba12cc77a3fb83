import { expect, test } from 'vitest'
import { cut, table, widthOf } from './table.ts'

test('columns line up, whatever alphabet stands in them', () => {
  const lines = table(
    [
      { title: 'name', align: 'left' },
      { title: 'mails', align: 'right' },
    ],
    [
      ['山田 太郎', '7'],
      ['Ann', '1,234'],
    ],
  )
  expect(lines).toEqual(['name       mails', '山田 太郎      7', 'Ann        1,234'])
  expect(new Set(lines.map(widthOf))).toEqual(new Set([16]))
})

test('a cut never leaves half a wide character', () => {
  expect(cut('春の新作', 5)).toBe('春の')
  expect(cut('spring', 10)).toBe('spring')
})
