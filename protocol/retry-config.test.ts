import { describe, expect, test } from 'vitest'
import { RetryConfig, retryPolicy } from './retry-config.ts'
import { DEFAULT_RETRY, RETRY_REASONS } from './retry.ts'

const read = (config: unknown) => retryPolicy(RetryConfig.parse(config))

describe('[retry] of the fleet file', () => {
  test('an empty table changes nothing', () => {
    expect(read({})).toEqual(DEFAULT_RETRY)
  })

  test('first = "2s" brings every first wait to at most two seconds and keeps proportions', () => {
    const { rows } = read({ first: '2s' })
    for (const reason of RETRY_REASONS) expect(rows[reason].stepsMs[0]).toBeLessThanOrEqual(2_000)
    expect(rows.bulk.stepsMs).toEqual([2_000, 4_000, 8_000, 16_000, 32_000])
    expect(rows.continue).toEqual(DEFAULT_RETRY.rows.continue)
  })

  test('one reason can be given step by step, or by first, factor and max', () => {
    const { rows } = read({ 'mailbox-full': { steps: ['1h', '12h'] }, bulk: { first: '10m', factor: 3, max: '2h' } })
    expect(rows['mailbox-full'].stepsMs).toEqual([3_600_000, 43_200_000])
    expect(rows.bulk.stepsMs.map((ms) => ms / 60_000)).toEqual([10, 30, 90, 120])
    expect(rows.urgent).toEqual(DEFAULT_RETRY.rows.urgent)
  })

  test.each([
    ['an unknown reason', { slow: { first: '1m' } }],
    ['shrinking waits', { bulk: { steps: ['10m', '5m'] } }],
    ['both forms at once', { bulk: { steps: ['10m'], first: '5m' } }],
    ['a wait without unit', { first: '2' }],
  ])('refuses %s', (_, config) => {
    expect(RetryConfig.safeParse(config).success).toBe(false)
  })
})
