/** A From domain that a provider has never seen sends a first day's worth there and no more, whatever warm IPs it leaves from; elsewhere it goes on. */
import { expect, it } from 'vitest'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

it('holds a new From domain to its first step at one provider, and lets what is left wait with a reason', { timeout: 60_000 }, async () => {
  await using lab = await startSourceLab({ ips: 2, rest: '5s', more: { warmup: { from_start: 200 } } })
  const lists = { google: people(500, 'new-'), yahoo: people(100, 'new-', 'yahoo.co.jp') }
  await lab.cluster.publish('acme', noticeTo('new', [...lists.google, ...lists.yahoo]))
  const held = await lab.cluster.until('acme', 'new', ({ delivered, waitingFor }) => delivered > 300 || (delivered === 300 && waitingFor?.length === 1), 30_000)
  expect(held).toMatchObject({ delivered: 300, waiting: 300, waitingFor: [{ site: 'google', count: 300, because: 'from-ramp' }] })
  expect(Date.parse(held.waitingFor[0]?.until ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000)
  expect(await lab.accountOf('acme', 'new', lists.yahoo)).toEqual(NOTHING_WRONG)
})
