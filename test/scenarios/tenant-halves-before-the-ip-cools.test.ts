/** In a shared pool the tenant whose recipients caused a source-blame loses half of its share at that site, before its neighbours pay with a second cooling. */
import { expect, it } from 'vitest'
import { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { until } from '../kit/bus.ts'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const IP = '127.0.1.1'
/** a larger campaign would show the site a sample first, of the same size whatever its share */
const PEOPLE = 980
/** By then both are under way, and neither has come to its end. */
const [FROM, TO] = [100, 900]

it('halves the share of the tenant that brought the blame, while the other keeps its own', { timeout: 120_000 }, async () => {
  const tenant = (name: string) => ({ name, domains: [`${name}.example`], return_path: `bounce.${name}.example` })
  await using lab = await startSourceLab({
    ips: 1,
    rest: '3s',
    google: { mails_per_second: 800 },
    more: { tenant: [tenant('acme'), tenant('rival')], pool: [{ name: 'acme' }] },
  })
  const of = (name: string, id: string, list: readonly string[], sendAt?: string) =>
    lab.cluster.publish(name, noticeTo(id, list, { from: { address: `news@${name}.example` }, ...(sendAt !== undefined && { sendAt }) }))
  await of('rival', 'dirt', ['say-yahoo-tss04-x1@gmail.com'])
  await until('the blame has its tenant', async () => (await lab.atGoogle(IP))?.blamedBy?.rival === 1, 15_000)

  const lists = { rival: people(PEOPLE, 'rival-'), acme: people(PEOPLE, 'acme-') }
  // Both begin at the same moment: who was published first has no start.
  const sendAt = new Date(Date.now() + 3_000).toISOString()
  for (const [name, list] of Object.entries(lists)) await of(name, 'many', list, sendAt)

  for (const [name, list] of Object.entries(lists)) {
    await lab.cluster.until(name, 'many', ({ state }) => state === 'finished', 60_000)
    expect(await lab.accountOf(name, 'many', list)).toEqual(NOTHING_WRONG)
  }
  // Half of what its neighbour sends at the same time; by equal shares as much as that. What is released goes by the hundred, so either may be one off.
  const share = partBeside('acme', await deliveredBy(lab.cluster.bus))
  expect(share).toBeGreaterThan(0.25)
  expect(share).toBeLessThan(0.72)
  expect(await lab.atGoogle(IP)).toMatchObject({ blamedBy: { rival: 1 }, tenantShares: { rival: 0.5 } })
  expect((await lab.ipEvents()).filter(({ to }) => to === 'cooling')).toHaveLength(1)
})

/** Whose mail was delivered, in the journal's order. */
async function deliveredBy(bus: Bus): Promise<readonly string[]> {
  const tenants: string[] = []
  for await (const { body } of bus.scan(STREAM.outcomes, wildcard('outcome'))) {
    const { tenant, campaign, outcomes } = OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(body)))
    if (campaign === 'many') tenants.push(...outcomes.filter(({ outcome }) => outcome === 'delivered').map(() => tenant))
  }
  return tenants
}

/** Mails of the others to each one of this tenant's, over the stretch of its mail in which both were sending. */
function partBeside(tenant: string, delivered: readonly string[]): number {
  let own = 0
  let others = 0
  for (const whose of delivered) {
    if (whose === tenant) own++
    else if (own >= FROM && own < TO) others++
  }
  return others / (TO - FROM)
}
