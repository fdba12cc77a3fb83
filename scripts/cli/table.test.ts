import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { table } from './table.ts'
import { cut, pad, printable, widthOf, wrap } from './text.ts'

const paint = (_: string, text: string) => text
type Row = readonly [name: string, n: string, why: string]
const draw = (rows: readonly Row[], width: number) =>
  table<Row>(
    [
      { title: 'name', atLeast: 6, cell: ([name]) => name },
      { title: 'n', side: 'right', spare: 1, cell: ([, n]) => n },
      { title: 'why', atLeast: 6, cell: ([, , why]) => why },
    ],
    rows,
    { width, paint },
  )

describe('a table', () => {
  it('puts numbers on the right and leaves out columns that say nothing', () => {
    expect(
      draw(
        [
          ['google', '5', ''],
          ['docomo', '1,200', ''],
        ],
        80,
      ),
    ).toEqual(['name        n', 'google      5', 'docomo  1,200'])
  })

  it('cuts what may be cut, and spares a column before it overflows', () => {
    const row: Row = ['a-very-long-site.example', '12,345', 'too-many-connections']
    expect(draw([row], 80)[1]).toBe('a-very-long-site.example  12,345  too-many-connections')
    expect(draw([row], 40)[1]).toBe('a-very-long-si…  12,345  too-many-conne…')
    expect(draw([row], 16)[1]).toBe('a-very…  too-ma…')
  })

  it('never lets strangers steer the terminal', () => {
    expect(draw([['\x1b[2Jevil\r\n', '1', '\u202e']], 80).join('')).not.toMatch(/\p{Cc}/u)
  })

  it('never exceeds its width where its least fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.nat().map(String), fc.string({ unit: 'grapheme' })), { minLength: 1 }),
        fc.integer({ min: 14, max: 120 }),
        (rows, width) => {
          for (const line of draw(rows, width)) expect(widthOf(line)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})

describe('width', () => {
  it.each([
    ['abc', 3],
    ['春の新作', 8],
    ['ｱｲｳ', 3],
    ['\x1b[31mred\x1b[39m', 3],
    ['한글', 4],
    ['e\u0301', 1],
  ])('%s', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  it('of a cut text is never more than asked, and a text that fits stays', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
        expect(widthOf(cut(text, width))).toBeLessThanOrEqual(width)
        if (widthOf(text) <= width) expect(cut(text, width)).toBe(text)
      }),
    )
    expect(cut('春の新作です', 7)).toBe('春の新…')
  })

  it('pads by columns, not by letters', () => {
    expect(pad('春', 4)).toBe('春  ')
    expect(pad('5', 3, 'right')).toBe('  5')
  })

  it('wraps words and loses none', () => {
    expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four'])
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (words, width) => {
        expect(wrap(words.join(' '), width).join(' ')).toBe(words.join(' '))
      }),
    )
  })

  it('shows control characters as dots', () => {
    expect(printable('a\x1b[31m\x07b\tc')).toBe('a·[31m·b c')
  })
})
