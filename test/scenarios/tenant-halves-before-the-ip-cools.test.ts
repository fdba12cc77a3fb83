/** In a shared pool the tenant whose recipients caused a source-blame loses half of its share at that site, before its neighbours pay with a second cooling. */
import { expect, it } from 'vitest'
import { until } from '../kit/bus.ts'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const IP = '127.0.1.1'

it('halves the share of the tenant that brought the blame, while the other keeps its own', { timeout: 90_000 }, async () => {
  const tenant = (name: string) => ({ name, domains: [`${name}.example`], return_path: `bounce.${name}.example` })
  await using lab = await startSourceLab({
    ips: 1,
    rest: '3s',
    google: { mails_per_second: 800 },
    more: { tenant: [tenant('acme'), tenant('rival')], pool: [{ name: 'acme' }] },
  })
  const of = (name: string, id: string, list: readonly string[]) => lab.cluster.publish(name, noticeTo(id, list, { from: { address: `news@${name}.example` } }))
  await of('rival', 'dirt', ['say-yahoo-tss04-x1@gmail.com'])
  await until('the blame has its tenant', async () => (await lab.atGoogle(IP))?.blamedBy?.rival === 1, 15_000)

  const lists = { rival: people(800, 'rival-'), acme: people(800, 'acme-') }
  await of('rival', 'many', lists.rival)
  await of('acme', 'many', lists.acme)
  await lab.cluster.until('acme', 'many', ({ delivered }) => delivered >= 600, 40_000)
  const dirty = (await lab.cluster.status('rival', 'many')).delivered
  expect(dirty).toBeGreaterThan(0)
  expect(dirty).toBeLessThan(450) // by equal shares it would be as many as the other has

  for (const [name, list] of Object.entries(lists)) {
    await lab.cluster.until(name, 'many', ({ state }) => state === 'finished', 40_000)
    expect(await lab.accountOf(name, 'many', list)).toEqual(NOTHING_WRONG)
  }
  expect(await lab.atGoogle(IP)).toMatchObject({ blamedBy: { rival: 1 }, tenantShares: { rival: 0.5 } })
  expect((await lab.ipEvents()).filter(({ to }) => to === 'cooling')).toHaveLength(1)
})
