import { describe, expect, test } from 'vitest'
import { Outlets } from './outlets.ts'

const MINUTE_MS = 60_000
const sites = ['google', 'yahoo', 'outlook', 'docomo', 'au', 'softbank']

describe('a connect that times out', () => {
  test('is ours from the fifth site in five minutes on, and no site is blamed for it', () => {
    const outlets = new Outlets()
    expect(sites.map((site, at) => outlets.timedOut('a', site, at * 1_000))).toEqual(['host', 'host', 'host', 'host', 'us', 'us'])
  })

  test('is the host as often as one site alone is silent, or when the silences lie apart', () => {
    const outlets = new Outlets()
    expect(Array.from({ length: 9 }, () => outlets.timedOut('a', 'google', 0))).not.toContain('us')
    expect(sites.map((site, at) => outlets.timedOut('b', site, at * 2 * MINUTE_MS))).not.toContain('us')
  })

  test('is the host again once the source reached anybody; other sources prove nothing', () => {
    const outlets = new Outlets()
    for (const site of sites) outlets.timedOut('a', site, 0)
    outlets.connected('b')
    expect(outlets.timedOut('a', 'google', 1)).toBe('us')
    outlets.connected('a')
    expect(outlets.timedOut('a', 'google', 2)).toBe('host')
  })
})
