/** A cluster and the simulated internet side by side, for scenarios of manners: send, wait for the end, ask the journal and the far end. */
import { OutcomeChunk, type Outcome } from '../../protocol/outcome.ts'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import type { IpReputation, IspReputation, IspStatus } from '../../protocol/messages/ops.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import { startWorld, type World, type WorldOptions } from '../../scripts/world/world.ts'
import { startCluster, type TestCluster } from './cluster.ts'
import { loopbackFleet, noticeTo } from './fleets.ts'
import { account, type Account, tallyOutcomes } from './tally.ts'

export interface SceneOptions {
  readonly world?: WorldOptions
  readonly senders?: number
  /** as `loopbackFleet` takes them */
  readonly fleet?: Parameters<typeof loopbackFleet>[1]
}

/** One word about one recipient, in the order of the journal. */
export type Said = Outcome & { readonly attempt: number; readonly at: string }

export interface Scene extends AsyncDisposable {
  readonly world: World
  readonly cluster: TestCluster
  /** a notice of tenant acme; `more` as in a campaign */
  send(id: string, addresses: readonly string[], more?: object): Promise<void>
  /** waits until it is finished */
  ended(id: string, withinMs?: number): Promise<CampaignStatus>
  until(id: string, holds: (status: CampaignStatus) => boolean, withinMs?: number): Promise<CampaignStatus>
  said(id: string): Promise<readonly Said[]>
  /** the published list against journal and far end */
  account(id: string): Promise<Account>
  /** every IP's standing at one site */
  standing(site: string): Promise<readonly (IspReputation & { readonly address: string })[]>
  isp(site: string): Promise<IspStatus['sites'][number] | null>
}

export async function startScene({ world: wished, senders = 1, fleet }: SceneOptions = {}): Promise<Scene> {
  await using starting = new AsyncDisposableStack()
  const world = starting.use(await startWorld(wished))
  const cluster = starting.use(await startCluster({ senders, fleet: loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }, fleet) }))
  const parts = starting.move()
  const published = new Map<string, readonly string[]>()

  async function said(id: string): Promise<readonly Said[]> {
    const all: Said[] = []
    for await (const { body } of cluster.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign: id }))) {
      const { outcomes, attempt, at } = OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(body)))
      all.push(...outcomes.map((one) => ({ ...one, attempt, at })))
    }
    return all
  }

  return {
    world,
    cluster,
    said,
    async send(id, addresses, more) {
      published.set(id, addresses)
      await cluster.publish('acme', noticeTo(id, addresses, more))
    },
    ended: (id, withinMs) => cluster.until('acme', id, ({ state }) => state === 'finished', withinMs),
    until: (id, holds, withinMs) => cluster.until('acme', id, holds, withinMs),
    async account(id) {
      const farEnd = new Map<string, Map<string, number>>()
      // what the far end threw away again counts 0, and is not there
      for (const [rcpt, arrivals] of world.record.rcpts) {
        const kept = arrivals.filter(({ count }) => count > 0)
        if (kept.length > 0) farEnd.set(rcpt, new Map(kept.map(({ messageId, count }) => [messageId, count])))
      }
      return account(published.get(id) ?? [], await tallyOutcomes(cluster.bus, 'acme', id), farEnd)
    },
    async standing(site) {
      const { ips } = await cluster.ask<IpReputation>('ipReputation', {})
      return ips.flatMap(({ address, isps }) => (isps[site] === undefined ? [] : [{ ...isps[site], address }]))
    },
    async isp(site) {
      const { sites } = await cluster.ask<IspStatus>('ispStatusOf', { site })
      return sites.find((one) => one.site === site) ?? null
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** How often each way of ending or being deferred was said: `bounced unknown-user recipient` → 5. */
export function countsOf(said: readonly Said[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { outcome, class: replyClass, blames } of said) {
    const key = outcome === 'delivered' ? outcome : `${outcome} ${replyClass} ${blames}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

export const NOTHING_AMISS = { lost: [], doubled: [], unaccounted: [] } as const
