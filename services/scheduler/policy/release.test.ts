import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Deficits, pick, room } from './release.ts'

interface Queue {
  tenant: string
  tenantWeight: number
  campaign: string
  weight: number
  next: number | null
}

function serve(queues: Queue[], rounds: number): Map<string, number> {
  const deficits: Deficits = new Map()
  const served = new Map<string, number>()
  for (let at = 0; at < rounds; at++) {
    const chosen = pick(queues, deficits)
    if (!chosen) break
    served.set(chosen.campaign, (served.get(chosen.campaign) ?? 0) + (chosen.next ?? 0))
  }
  return served
}

describe('release by weight', () => {
  it('gives a tenant whose share is halved half of what its equal gets', () => {
    const served = serve(
      [
        { tenant: 'bad', tenantWeight: 0.5, campaign: 'b1', weight: 1, next: 10 },
        { tenant: 'good', tenantWeight: 1, campaign: 'g1', weight: 1, next: 10 },
      ],
      300,
    )
    expect((served.get('g1') ?? 0) / (served.get('b1') ?? 1)).toBeCloseTo(2, 1)
  })

  it('divides a site between tenants by their weights, whatever their campaigns weigh', () => {
    const served = serve(
      [
        { tenant: 'a', tenantWeight: 1, campaign: 'a1', weight: 1_000, next: 100 },
        { tenant: 'b', tenantWeight: 3, campaign: 'b1', weight: 1, next: 100 },
      ],
      400,
    )
    expect((served.get('b1') as number) / (served.get('a1') as number)).toBeCloseTo(3, 1)
  })

  it("divides a tenant's share by its campaigns' weights", () => {
    const served = serve(
      [
        { tenant: 'a', tenantWeight: 1, campaign: 'a1', weight: 1, next: 100 },
        { tenant: 'a', tenantWeight: 1, campaign: 'a2', weight: 2, next: 100 },
      ],
      300,
    )
    expect((served.get('a2') as number) / (served.get('a1') as number)).toBeCloseTo(2, 1)
  })

  it('lets nobody starve, whatever the sizes and weights', () => {
    const queue = fc.record({ tenantWeight: fc.integer({ min: 1, max: 50 }), weight: fc.integer({ min: 1, max: 50 }), next: fc.integer({ min: 20, max: 100 }) })
    fc.assert(
      fc.property(fc.array(queue, { minLength: 2, maxLength: 6 }), (shapes) => {
        const queues = shapes.map((shape, at) => ({ ...shape, tenant: `t${at}`, campaign: `c${at}` }))
        const served = serve(queues, 60_000 / shapes.length)
        const total = [...served.values()].reduce((sum, count) => sum + count, 0)
        const weights = queues.reduce((sum, { tenantWeight }) => sum + tenantWeight, 0)
        for (const { campaign, tenantWeight } of queues) {
          // What a round gives is had at once, so that much anybody may be ahead or behind.
          expect(Math.abs((served.get(campaign) ?? 0) - (total * tenantWeight) / weights)).toBeLessThanOrEqual(100 * weights)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('keeps a few seconds of what a site drains on the way, and little for one that rests', () => {
    expect(room({ onTheWay: 0, perS: 500 }, false)).toBe(2_000)
    expect(room({ onTheWay: 1_990, perS: 500 }, false)).toBe(10)
    expect(room({ onTheWay: 0, perS: 0 }, false)).toBe(300)
    expect(room({ onTheWay: 100, perS: 500 }, true)).toBe(0)
  })
})
