import { describe, expect, test } from 'vitest'
import { blamePool, blamesToRest, paceCapOf, poolLends, poolRestOf, poolStopped, QUIET_POOL } from './pool.ts'

const T0 = Date.UTC(2026, 10, 24)
const MIN = 60_000
const HOUR = 60 * MIN
const DAY = 24 * HOUR
const blamed = (ip: string) => ({ ip, restMs: 2 * HOUR, because: 'yahoo/ts04' })

describe('bad-campaign-cannot-burn-the-pool', () => {
  test('two IPs blamed within an hour rest the pool', () => {
    const one = blamePool(QUIET_POOL, blamed('a'), 4, T0)
    expect(one.rest).toBeNull()
    const two = blamePool(one.pool, blamed('b'), 4, T0 + 59 * MIN)
    expect(two.rest?.until).toBe(T0 + 59 * MIN + 2 * HOUR)
    expect(poolRestOf(two.pool, T0 + 2 * HOUR)).not.toBeNull()
    expect(poolRestOf(two.pool, T0 + 3 * HOUR)).toBeNull()
  })

  test('one IP twice, or two an hour apart, do not', () => {
    const one = blamePool(QUIET_POOL, blamed('a'), 4, T0)
    expect(blamePool(one.pool, blamed('a'), 4, T0 + MIN).rest).toBeNull()
    expect(blamePool(one.pool, blamed('b'), 4, T0 + HOUR).rest).toBeNull()
  })

  test('a larger pool needs a third of it', () => {
    expect([2, 5, 6, 7, 30].map(blamesToRest)).toEqual([2, 2, 2, 3, 10])
  })

  test('its rest doubles on each return within a day, up to a day', () => {
    let pool = QUIET_POOL
    let now = T0
    const rests: number[] = []
    for (let n = 0; n < 4; n++) {
      pool = blamePool(pool, blamed('a'), 2, now).pool
      const step = blamePool(pool, blamed('b'), 2, now)
      pool = step.pool
      rests.push(((step.rest?.until ?? 0) - now) / HOUR)
      now = (step.rest?.until ?? 0) + MIN
    }
    expect(rests).toEqual([2, 4, 8, 16])
    expect(blamePool(blamePool(pool, blamed('a'), 2, now + DAY).pool, blamed('b'), 2, now + DAY).rest?.until).toBe(now + DAY + 2 * HOUR)
  })

  test('blames while it rests neither lengthen it nor count twice', () => {
    const two = blamePool(blamePool(QUIET_POOL, blamed('a'), 2, T0).pool, blamed('b'), 2, T0)
    expect(blamePool(two.pool, blamed('a'), 2, T0 + MIN)).toMatchObject({ rest: null })
  })
})

describe('blocked mail does not spread', () => {
  test('the others keep the share they had until all lend again', () => {
    let pool = poolStopped(QUIET_POOL, 'a', { a: 5, b: 3 })
    expect([paceCapOf(pool, 'b'), paceCapOf(pool, 'a'), paceCapOf(pool, 'idle')]).toEqual([3, null, 1 / 60])
    pool = poolStopped(pool, 'b', { b: 3, c: 9 })
    expect(paceCapOf(pool, 'c')).toBe(1 / 60)
    pool = poolLends(poolLends(pool, 'a'), 'b')
    expect([paceCapOf(pool, 'b'), pool.shares]).toEqual([null, {}])
  })
})
