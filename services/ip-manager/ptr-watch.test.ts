import { expect, test } from 'vitest'
import { startWorld } from '../../scripts/world/world.ts'
import { systemClock } from '../runtime/clock.ts'
import { allow } from './policy/allow.ts'
import { fleetOf, managerOf } from './policy/manager.testkit.ts'
import { reputationOf } from './policy/reputation.ts'
import type { Say } from './policy/says.ts'
import { watchPtr } from './ptr-watch.ts'

const [SIX, BARE, FOUR] = ['2001:db8:0:1::7', '2001:db8:0:2::7', '203.0.113.7'] as const

test('an IPv6 address lends only while its PTR resolves back; IPv4 and silence of DNS are let be', async () => {
  await using world = await startWorld({ behaviours: 'none' })
  const publish = (...addresses: string[]) =>
    world.publishSenderRecords({ sources: addresses.map((address, n) => ({ address, ehlo: `mx${n}.hato.example` })), tenants: [], dkim: [] })
  publish(SIX)
  const fleet = fleetOf(
    { [SIX]: { ehlo: 'mx0.hato.example' }, [BARE]: { ehlo: 'mx1.hato.example' }, [FOUR]: { ehlo: 'mx2.hato.example' } },
    { network: { dns: [world.dns] } },
  )
  const manager = managerOf(fleet)
  const said: Say[] = []
  const crash = (error: unknown) => {
    throw error
  }
  await using watch = watchPtr({ clock: systemClock, manager, say: (says) => void said.push(...says), crash })
  const lending = () => allow(manager, [{ site: 'google', provider: 'google', pools: ['main'] }]).map(({ lends, because }) => (lends ? 'lends' : because))

  await watch.newFleet()
  expect(lending()).toEqual(['lends', 'ipv6-no-ptr', 'lends'])
  expect(said).toContainEqual(expect.objectContaining({ say: 'changed', ip: BARE, site: null, lends: false, because: 'ipv6-no-ptr' }))
  expect(reputationOf(manager, BARE)?.ips[0]).toMatchObject({ because: 'ipv6-no-ptr' })

  world.dnsFault('*', 'servfail')
  await watch.newFleet()
  expect(lending()).toEqual(['lends', 'ipv6-no-ptr', 'lends'])
  world.dnsFault('*', null)
  publish(SIX, BARE)
  await watch.newFleet()
  expect(lending()).toEqual(['lends', 'lends', 'lends'])
  expect(said.at(-1)).toMatchObject({ say: 'changed', ip: BARE, lends: true })
})
