/** A tenant's daily limit holds over its campaigns, small ones too that would go out at once; who waits is told why and until when, and the neighbour goes on. */
import { expect, it } from 'vitest'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const LIMIT = 300

it('releases no more than the limit within the day, also after the scheduler was killed', { timeout: 90_000 }, async () => {
  const tenant = (name: string, more: object = {}) => ({ name, domains: [`${name}.example`], return_path: `bounce.${name}.example`, ...more })
  await using lab = await startSourceLab({
    ips: 2,
    rest: '5s',
    more: { tenant: [tenant('acme', { daily_limit: LIMIT }), tenant('rival')], pool: [{ name: 'acme' }] },
  })
  const of = (name: string, id: string, list: readonly string[]) => lab.cluster.publish(name, noticeTo(id, list, { from: { address: `news@${name}.example` } }))
  const lists = { first: people(150, 'first-'), second: people(400, 'second-'), neighbour: people(400, 'neighbour-') }
  await of('acme', 'first', lists.first)
  await lab.cluster.until('acme', 'first', ({ state }) => state === 'finished', 20_000)
  await of('acme', 'second', lists.second)
  await of('rival', 'neighbour', lists.neighbour)
  await lab.cluster.until('rival', 'neighbour', ({ state }) => state === 'finished', 30_000)
  const held = await lab.cluster.until(
    'acme',
    'second',
    ({ delivered, waitingFor }) => delivered > 100 || (delivered === 100 && waitingFor?.length === 1),
    20_000,
  )
  expect(held).toMatchObject({ state: 'running', delivered: 100, waiting: 300, waitingFor: [{ site: 'google', count: 300, because: 'daily-limit' }] })
  expect(Date.parse(held.waitingFor[0]?.until ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000)

  // The next scheduler reads the book.
  await lab.cluster.kill('scheduler')
  await of('acme', 'third', people(60, 'third-'))
  const third = await lab.cluster.until(
    'acme',
    'third',
    ({ state, waitingFor }) => state === 'finished' || (waitingFor ?? []).some(({ because }) => because === 'daily-limit'),
    30_000,
  )
  expect(third).toMatchObject({ delivered: 0, waiting: 60 })
  for (const [tenantName, id] of [
    ['acme', 'first'],
    ['rival', 'neighbour'],
  ] as const)
    expect(await lab.accountOf(tenantName, id, lists[id])).toEqual(NOTHING_WRONG)
  // One batch of a hundred does not fit into the fifty that are left: a limit is never passed.
  expect([...lists.first, ...lists.second].filter((rcpt) => lab.world.record.arrivals(rcpt).length > 0)).toHaveLength(250)
})
