/** A cluster and a plain simulated internet for scenarios about source IPs: replies that blame a source are short-lived, everything else is production's. */
import type { IpEvent, IpReputation, IspReputation } from '../../protocol/messages/ops.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { startCluster, type TestCluster } from './cluster.ts'
import { loopbackFleet } from './fleets.ts'
import { account, type Account, tallyOutcomes } from './tally.ts'

/** What `blameSources` lets the world say, and what the fleet's rule makes of it. */
const UNLOVED = { code: 451, enhanced: '4.7.0', text: 'unloved source address' } as const

export interface SourceLab extends AsyncDisposable {
  readonly world: World
  readonly cluster: TestCluster
  /** MAIL from these IPs is refused at gmail.com by a reply that blames the source; an empty list lifts it */
  blameSources(sources: readonly string[]): void
  /** the row of one IP at google */
  atGoogle(address: string): Promise<IspReputation | undefined>
  ip(address: string): Promise<IpReputation['ips'][number]>
  ipEvents(): Promise<readonly IpEvent[]>
  /** mails that gmail.com has taken, by source IP */
  takenBy(): ReadonlyMap<string, number>
  accountOf(tenant: string, campaign: string, published: readonly string[]): Promise<Account>
}

export interface LabOptions {
  readonly ips: number
  /** how long google's blame rests a source: `4s` */
  readonly rest: string
  /** further columns of google's row */
  readonly google?: object
  /** laid over the fleet document */
  readonly more?: object
  /** what the world shows from the first question on: who asks too early remembers that there is nothing */
  readonly publish?: (world: World) => void
}

export async function startSourceLab({ ips, rest, google = {}, more = {}, publish = () => {} }: LabOptions): Promise<SourceLab> {
  await using starting = new AsyncDisposableStack()
  const world = starting.use(await startWorld({ behaviours: 'none' }))
  publish(world)
  const rule = [
    { id: 'lab/unloved', seen: `${UNLOVED.code} ${UNLOVED.enhanced} ${UNLOVED.text}`, text: UNLOVED.text, class: 'reputation', blames: 'source', rest },
    { id: 'lab/volume', seen: '421 4.7.0 [TSS04] deferred due to unexpected volume', text: 'unexpected volume', class: 'reputation', blames: 'source', rest },
  ].map((row) => ({ ...row, outcome: 'deferred' }))
  const cluster = starting.use(
    await startCluster({
      senders: 1,
      fleet: loopbackFleet(
        { dns: world.dns, smtpPort: world.smtpPort },
        {
          ips,
          isp: [{ name: 'google', ...google }],
          more: { rule, retry: { first: '1s', site: { steps: ['1s'] }, source: { steps: ['1s'] } }, ...more },
        },
      ),
    }),
  )
  const parts = starting.move()
  const ip = async (address: string) => {
    const { ips: found } = await cluster.ask<IpReputation>('ipReputationOf', { address })
    if (found[0] === undefined) throw new Error(`the fleet has no ${address}`)
    return found[0]
  }
  return {
    world,
    cluster,
    ip,
    atGoogle: async (address) => (await ip(address)).isps.google,
    blameSources(sources) {
      world.lift('google', 'unloved')
      if (sources.length > 0) world.fault('google', 'unloved', { stage: 'mail', does: 'reply', ...UNLOVED, sources })
    },
    async ipEvents() {
      const events: IpEvent[] = []
      for await (const { body } of cluster.bus.scan(STREAM.events, wildcard('ipEvent'))) events.push(JSON.parse(new TextDecoder().decode(body)) as IpEvent)
      return events
    },
    takenBy: () => {
      const taken = new Map<string, number>()
      for (const arrivals of world.record.rcpts.values())
        for (const { isp, source, count } of arrivals) if (isp === 'google') taken.set(source, (taken.get(source) ?? 0) + count)
      return taken
    },
    accountOf: async (tenant, campaign, published) => {
      const farEnd = published.flatMap((rcpt) => {
        const arrivals = world.record.arrivals(rcpt)
        return arrivals.length === 0 ? [] : [[rcpt, new Map(arrivals.map(({ messageId, count }) => [messageId, count]))] as const]
      })
      return account(published, await tallyOutcomes(cluster.bus, tenant, campaign), new Map(farEnd))
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

export const NOTHING_WRONG: Account = { lost: [], doubled: [], unaccounted: [], unpublished: [] }
export const people = (count: number, prefix: string, domain = 'gmail.com'): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}@${domain}`)
