/** delivery.md §8: NXDOMAIN counts only while a control name resolves. */
import { expect, it } from 'vitest'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { accountOf } from '../kit/far-end.ts'
import { breachOf } from '../kit/tally.ts'

const PEOPLE = [...Array.from({ length: 20 }, (_, at) => `ok+${at}@gmail.com`), ...Array.from({ length: 20 }, (_, at) => `ok+${at}@yahoo.com`)]
const NOBODY = 'taro@no-such-domain.example'

it('waits as for a resolver that does not answer, bounces and suppresses nobody, and goes on when names exist again', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  world.dnsFault('*', 'nxdomain')
  await using cluster = await startCluster({
    senders: 1,
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      { more: { retry: { first: '1s', dns: { steps: ['1s'] } }, suppression: { strikes: 1, over: '0s' } } },
    ),
  })
  await cluster.publish('acme', noticeTo('many', [...PEOPLE, NOBODY]))
  const waiting = await cluster.until(
    'acme',
    'many',
    ({ waitingFor = [], bounced }) => waitingFor.some(({ because }) => because === 'dns-doubted') || bounced > 0,
  )
  expect(waiting).toMatchObject({ state: 'running', bounced: 0, waiting: 41 })
  await cluster.until(
    'acme',
    'many',
    ({ waitingFor = [] }) => waitingFor.length > 0 && waitingFor.every(({ because, until }) => because === 'dns-doubted' && until !== null),
  )
  const { total } = await cluster.ask<{ total: number }>('suppression', { tenant: 'acme' }, { action: 'list' })
  expect(total).toBe(0)

  world.dnsFault('*', null)
  const end = await cluster.until('acme', 'many', ({ state }) => state === 'finished')
  // Who really has no domain is believed now.
  expect(end).toMatchObject({ delivered: 40, bounced: 1, waiting: 0 })
  expect(breachOf(end)).toBe(null)
  expect(await accountOf(cluster, world, 'many', PEOPLE)).toMatchObject({ lost: [], doubled: [], unaccounted: [] })
})
