import { describe, expect, test } from 'vitest'
import { blamed, delivered, fleetOf, HOUR_MS, managerOf, NOW, see } from './manager.testkit.ts'
import { fromMemory, toMemory } from './memory.ts'
import { pass } from './pass.ts'
import { reputationOf } from './reputation.ts'
import { tenantShares } from './tenant-shares.ts'

const A = '127.0.1.1'
const B = '127.0.1.2'
const REST = { rule: { id: 'google/ip-rate', restMs: HOUR_MS } }
const told = (manager: ReturnType<typeof managerOf>) => tenantShares(manager).shares.map(({ tenant, site, share, perS }) => [tenant, site, share, perS])

describe("a tenant's share of a shared pool", () => {
  test('halves at the site with each source-blame that its recipients caused, and nobody else pays', () => {
    const manager = managerOf(fleetOf({ [A]: {}, [B]: {} }))
    see(manager, [delivered(A, 'google')], NOW, 'good')
    see(manager, [blamed(A, 'google', REST)], NOW, 'bad')
    expect(told(manager)).toEqual([['bad', 'google', 0.5, 100]])
    pass(manager, NOW + HOUR_MS)
    see(manager, [blamed(A, 'google', REST)], NOW + HOUR_MS, 'bad')
    expect(told(manager)).toEqual([['bad', 'google', 0.25, 50]])
    expect(reputationOf(manager, A)?.ips[0]?.isps.google).toMatchObject({ blamedBy: { bad: 2 }, tenantShares: { bad: 0.25 } })
  })

  test('halves once for what was on its way when the source stopped', () => {
    const manager = managerOf(fleetOf({ [A]: {} }))
    see(manager, [blamed(A, 'google', REST), blamed(A, 'google', REST), blamed(A, 'google', REST)], NOW, 'bad')
    expect(told(manager)).toEqual([['bad', 'google', 0.5, 50]])
  })

  test('of a dedicated pool is its own affair', () => {
    const fleet = fleetOf({ [A]: {} })
    const manager = managerOf({ ...fleet, pool: [{ name: 'main', tenants: ['bad'] }] })
    see(manager, [blamed(A, 'google', REST)], NOW, 'bad')
    expect(told(manager)).toEqual([])
  })

  test('doubles again with each day without blame, and is then forgotten', () => {
    const manager = managerOf(fleetOf({ [A]: {} }))
    for (const hours of [0, 2]) {
      pass(manager, NOW + hours * HOUR_MS)
      see(manager, [blamed(A, 'google', REST)], NOW + hours * HOUR_MS, 'bad')
    }
    pass(manager, NOW + 25 * HOUR_MS)
    expect(told(manager)).toEqual([['bad', 'google', 0.25, 25]])
    pass(manager, NOW + 26 * HOUR_MS)
    expect(told(manager)).toEqual([['bad', 'google', 0.5, 50]])
    pass(manager, NOW + 50 * HOUR_MS)
    expect(told(manager)).toEqual([])
  })

  test('is remembered over a change of owner', () => {
    const manager = managerOf(fleetOf({ [A]: {} }))
    see(manager, [blamed(A, 'google', REST)], NOW, 'bad')
    const next = managerOf(fleetOf({ [A]: {} }))
    fromMemory(next, toMemory(manager))
    expect(tenantShares(next)).toEqual(tenantShares(manager))
  })
})
