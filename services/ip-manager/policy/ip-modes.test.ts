import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IP_MAY_BECOME, newIp, obey, passIp } from './ip-modes.ts'

const T0 = Date.UTC(2026, 10, 24)
const HOUR = 3_600_000
const QUIET = { blockedSites: 0, leases: 3, listedOn: null }

describe('an IP', () => {
  test('is quarantined when three sites block it at once, and stays so until a person releases it', () => {
    expect(passIp(newIp(T0), { ...QUIET, blockedSites: 2 }, T0).change).toBeNull()
    const { ip, change } = passIp(newIp(T0), { ...QUIET, blockedSites: 3 }, T0)
    expect(change).toMatchObject({ from: 'serving', to: 'quarantined', because: 'blocked at 3 sites' })
    expect(passIp(ip, QUIET, T0 + 1_000 * HOUR).change).toBeNull()
    expect(obey(ip, 'release', 'delisted', null, T0).ip.mode).toBe('serving')
  })

  test('is quarantined by a listing', () => {
    expect(passIp(newIp(T0), { ...QUIET, listedOn: 'zen.example' }, T0).ip).toMatchObject({ mode: 'quarantined', because: 'listed on zen.example' })
  })

  test('drains until no lease is left', () => {
    const { ip } = obey(newIp(T0), 'drain', 'maintenance', null, T0)
    expect(ip.mode).toBe('draining')
    expect(passIp(ip, QUIET, T0).ip.mode).toBe('draining')
    expect(passIp(ip, { ...QUIET, leases: 0 }, T0).ip.mode).toBe('drained')
  })

  test('quarantined for a time comes back by itself; said twice, the later word holds', () => {
    const once = obey(newIp(T0), 'quarantine', 'a', HOUR, T0).ip
    const twice = obey(once, 'quarantine', 'b', 2 * HOUR, T0)
    expect(twice).toMatchObject({ change: null, ip: { because: 'b', until: T0 + 2 * HOUR } })
    expect(passIp(twice.ip, QUIET, T0 + HOUR).ip.mode).toBe('quarantined')
    expect(passIp(twice.ip, QUIET, T0 + 2 * HOUR).ip.mode).toBe('serving')
  })

  test('only becomes what the table names, whatever is ordered and seen', () => {
    const step = fc.record({
      action: fc.option(fc.constantFrom('quarantine', 'release', 'drain')),
      forMs: fc.option(fc.integer({ min: 1, max: 50 * HOUR })),
      afterMs: fc.integer({ min: 0, max: 60 * HOUR }),
      seen: fc.record({ blockedSites: fc.nat(4), leases: fc.nat(2), listedOn: fc.constantFrom(null, null, 'zen.example') }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        let ip = newIp(T0)
        let now = T0
        for (const { action, forMs, afterMs, seen } of steps) {
          now += afterMs
          for (const next of [() => passIp(ip, seen, now), () => (action ? obey(ip, action, 'x', forMs, now) : { ip, change: null })]) {
            const was = ip.mode
            ip = next().ip
            if (ip.mode !== was) expect(IP_MAY_BECOME[was]).toContain(ip.mode)
          }
        }
      }),
    )
  })
})
