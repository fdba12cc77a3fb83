import { describe, expect, it } from 'vitest'
import { bar, bytes, clock, count, counted, percent, span, until } from './format.ts'

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('%d', (n, text) => expect(count(n)).toBe(text))
  it('count things', () => {
    expect([counted(1, 'site'), counted(2, 'site'), counted(1, 'reply', 'replies'), counted(0, 'reply', 'replies')]).toEqual([
      '1 site',
      '2 sites',
      '1 reply',
      '0 replies',
    ])
  })
  it('are 100 % only when it is all and 0 % only when it is nothing', () => {
    expect([percent(0, 10), percent(1, 100_000), percent(5, 10), percent(99_999, 100_000), percent(10, 10), percent(0, 0)]).toEqual([
      '0 %',
      '< 0.1 %',
      '50 %',
      '99.9 %',
      '100 %',
      '–',
    ])
  })
  it('have sizes', () => {
    expect([bytes(0), bytes(999), bytes(1_000), bytes(21_900), bytes(8_388_608), bytes(75_200_000_000)]).toEqual([
      '0 B',
      '999 B',
      '1.0 KB',
      '21.9 KB',
      '8.4 MB',
      '75.2 GB',
    ])
  })
  it('fill a bar', () => {
    expect([bar(0, 10, 4), bar(5, 10, 4), bar(9, 10, 4), bar(10, 10, 4), bar(0, 0, 4)]).toEqual(['····', '██··', '███·', '████', '····'])
  })
})

describe('times', () => {
  it.each([
    [0, '0.0 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_400, '59 s'],
    [130_000, '2 min 10 s'],
    [120_000, '2 min'],
    [3_780_000, '1 h 3 min'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms', (ms, text) => expect(span(ms)).toBe(text))
  it('are of today or have their day, in the zone of who reads them', () => {
    const now = new Date(2026, 10, 24, 14, 0, 0).getTime()
    expect(clock(new Date(2026, 10, 24, 14, 5, 10).getTime(), now)).toBe('14:05:10')
    expect(clock(new Date(2026, 10, 25, 9, 0, 0).toISOString(), now)).toBe('2026-11-25 09:00:00')
    expect(until(new Date(2026, 10, 24, 14, 0, 40).toISOString(), now)).toBe('14:00:40 (in 40 s)')
    expect(until(new Date(2026, 10, 24, 13, 58, 0).toISOString(), now)).toBe('13:58:00 (2 min ago)')
    expect(until(null, now)).toBe('')
  })
})
