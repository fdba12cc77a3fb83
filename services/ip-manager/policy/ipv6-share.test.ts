import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allow } from './allow.ts'
import { ipv6Shares, partOf } from './ipv6-share.ts'
import { fleetOf, managerOf } from './manager.testkit.ts'

const six = (n: number, network = '2001:db8:0:1') => `${network}::${n}`

test('addresses of one /64 share what one address may: sessions, pace and warm-up; others do not', () => {
  const neighbours = Object.fromEntries([1, 2, 3].map((n) => [six(n), { warm_since: '2026-11-24' }]))
  const manager = managerOf(fleetOf({ ...neighbours, [six(1, '2001:db8:0:2')]: {}, '203.0.113.7': {}, '203.0.113.8': {} }))
  const rows = allow(manager, [{ site: 'google', provider: 'google', pools: ['main'] }])
  expect(rows.map(({ sessions }) => sessions)).toEqual([2, 2, 1, 5, 5, 5])
  expect(rows.slice(0, 3).reduce((sum, { pacePerS }) => sum + pacePerS, 0)).toBeCloseTo(rows[3]?.pacePerS ?? 0)
  expect(rows.slice(0, 3).reduce((sum, { budget }) => sum + (budget ?? 0), 0)).toBeLessThanOrEqual(75)
})

test('more addresses than sessions: the last ones lend nothing and say why', () => {
  const manager = managerOf(fleetOf(Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [six(n), {}]))))
  const rows = allow(manager, [{ site: 'google', provider: 'google', pools: ['main'] }])
  expect(rows.map(({ sessions }) => sessions)).toEqual([1, 1, 1, 1, 1, 0, 0])
  expect(rows.at(-1)).toMatchObject({ lends: false, because: 'ipv6-64' })
})

test('the parts are the whole (any number, any neighbours)', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 50 }), (whole, of) => {
      expect(Array.from({ length: of }, (_, at) => partOf(whole, { at, of })).reduce((sum, part) => sum + part, 0)).toBe(whole)
    }),
  )
})

test('an address alone in its /64, or an IPv4 one, shares with nobody', () => {
  expect(ipv6Shares([{ address: six(1) }, { address: six(1, '2001:db8:0:2') }, { address: '203.0.113.7' }]).size).toBe(0)
})
