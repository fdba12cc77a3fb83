import { expect, test } from 'vitest'
import { AddressUse } from './address-use.ts'

test('five sessions from one source to one address are the most, whatever site they are for', () => {
  const use = new AddressUse()
  for (let n = 0; n < 5; n++) {
    expect(use.hasRoom('a', 'box', 2)).toBe(true)
    use.occupy('a', 'box', 1)
  }
  expect(use.hasRoom('a', 'box', 2)).toBe(false)
  expect([use.hasRoom('b', 'box', 2), use.hasRoom('a', 'other', 2)]).toEqual([true, true])
  use.occupy('a', 'box', -1)
  expect(use.hasRoom('a', 'box', 2)).toBe(true)
})

test('a relay of our own bears what its row says', () => {
  const use = new AddressUse()
  for (let n = 0; n < 20; n++) use.occupy('a', 'relay', 1)
  expect([use.hasRoom('a', 'relay', 20), use.hasRoom('a', 'relay', 21)]).toEqual([false, true])
})
