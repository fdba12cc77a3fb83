/** What a campaign came to, in the far end's own record: every scenario asks it for what was lost and what came twice. */
import type { World } from '../../scripts/world/world.ts'
import type { TestCluster } from './cluster.ts'
import { type Account, account, tallyOutcomes } from './tally.ts'

export async function accountOf(cluster: TestCluster, world: World, campaign: string, published: readonly string[], tenant = 'acme'): Promise<Account> {
  const farEnd = published.flatMap((rcpt) => {
    const copies = new Map(world.record.arrivals(rcpt).flatMap(({ messageId, count }) => (count > 0 ? [[messageId, count] as const] : [])))
    return copies.size > 0 ? [[rcpt, copies] as const] : []
  })
  return account(published, await tallyOutcomes(cluster.bus, tenant, campaign), new Map(farEnd))
}
