import { expect, test } from 'vitest'
import { delivered, fleetOf, HOUR_MS, managerOf, NOW, see } from './manager.testkit.ts'
import type { Seen } from './observe.ts'
import { reputationOf } from './reputation.ts'

const A = '203.0.113.7'
const shown = (manager: ReturnType<typeof managerOf>) => reputationOf(manager, A)?.ips[0]?.because
const from = (address: string, site: string): Seen => ({ ...delivered(A, site), seenAs: address })
const silent = (site: string): Seen => ({
  ...delivered(A, site),
  outcome: 'deferred',
  class: 'unreachable',
  blames: 'us',
  stage: 'connect',
  reply: 'port-25-closed: …',
})

test('peers of two sites that see us from another address tell egress-differs, once; one alone may be wrong', () => {
  const manager = managerOf(fleetOf({ [A]: {} }))
  expect(see(manager, [from('192.0.2.1', 'google'), from('192.0.2.1', 'google')])).toEqual([])
  expect(shown(manager)).toBeNull()
  expect(see(manager, [from('192.0.2.9', 'yahoo')])).toEqual([])
  expect(see(manager, [from('192.0.2.1', 'yahoo'), from('192.0.2.1', 'outlook')])).toMatchObject([{ say: 'trouble', ip: A, because: 'egress-differs' }])
  expect(shown(manager)).toBe('egress-differs')
})

test('what was not seen for an hour is over', () => {
  const manager = managerOf(fleetOf({ [A]: {} }))
  see(manager, [from('192.0.2.1', 'google'), from('192.0.2.1', 'yahoo')])
  see(manager, [delivered(A, 'google')], NOW + HOUR_MS)
  expect(shown(manager)).toBeNull()
})

test('a way out that is closed costs no site its standing, and is over with the first delivery', () => {
  const manager = managerOf(fleetOf({ [A]: {} }))
  expect(see(manager, [silent('google')])).toMatchObject([{ say: 'trouble', because: 'port-25-closed' }])
  expect(reputationOf(manager, A)?.ips[0]).toMatchObject({ mode: 'serving', because: 'port-25-closed', isps: { google: { mode: 'steady' } } })
  see(manager, [delivered(A, 'yahoo')])
  expect(shown(manager)).toBeNull()
})
