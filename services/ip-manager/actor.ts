/**
 * ip-manager: decides from where.
 *
 * OWNS       each IP's and each (IP × site)'s mode, ramp, score and counts, block lists, tenants' shares (bucket reputation, `ip-manager` and `tenant-shares`); the fleet document (bucket fleet)
 * HEARS      DNS (block lists, PTR of IPv6) · outcome.> · ip-manager.allowance (routers) · ip.reputation, ip.control, fleet.apply, fleet.get (people)
 * SAYS       allowances · ip-manager.changed, at once when lending stops or resumes · ip.events.<address>
 * INVARIANT  counts are those of exactly the outcomes up to the saved position; after a source stops nothing is allowed from it, and who was allowed hears it within a second (S5)
 * ON CRASH   the node key expires, another process takes `ip-manager.all`, reads the memory and counts the journal from its position; allowances run out meanwhile, so mail waits for at most 12 s
 * NOT HERE   how fast a site is fed within what is allowed: domain-router; which reply blames whom: sender
 */
import { watchFleet } from '../runtime/fleet-watch.ts'
import { openBucket } from '../runtime/kv.ts'
import { own } from '../runtime/ownership.ts'
import type { IpManagerContext } from './config.ts'
import { ipManagerMetrics } from './gauges.ts'
import { type Reign, startReign } from './reign.ts'

/** There is one for all IPs: pools and IPs are judged over all sites together. */
const SHARD = 'all'

export async function startIpManager(context: IpManagerContext): Promise<AsyncDisposable> {
  const { bus, log, clock, config, nodeId, metrics, health } = context
  await using stack = new AsyncDisposableStack()
  let reign: Reign | null = null
  const counters = ipManagerMetrics(metrics, () => reign?.manager ?? null)
  health.gate(() => (reign?.manager.hearingSince === null ? ['old outcomes are being counted'] : []))
  const fleet = stack.use(watchFleet(bus, log, (record) => reign?.newFleet(record)))

  const crash = (error: unknown): never => {
    log.error('crashed', { error })
    process.exit(1) // a new process starts from what is durable
  }
  /** One reign after another: a new one begins when the one before has let go. */
  let turns: Promise<void> = Promise.resolve()
  const turn = (next: () => Promise<void>): Promise<void> => {
    turns = turns.then(next).catch(crash)
    return turns
  }
  const end = async (): Promise<void> => {
    const ending = reign
    reign = null
    await ending?.[Symbol.asyncDispose]()
  }
  const ownership = await own({
    bucket: openBucket(bus, 'owners'),
    role: 'ip-manager',
    nodeId,
    shards: [SHARD],
    clock,
    log,
    ttlMs: config.livenessTtlMs,
    onGained(_shard, epoch) {
      void turn(async () => {
        await end()
        reign = await startReign(context, { epoch, counters, crash, mayGrant: () => ownership.mayGrant(SHARD) && ownership.epochOf(SHARD) === epoch })
        const record = fleet.current()
        if (record !== null) reign?.newFleet(record) // one that came while it was starting
      })
    },
    onLost: () => turn(end),
  })
  stack.use(ownership)
  return stack.move()
}
