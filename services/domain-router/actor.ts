/**
 * domain-router: decides how fast, per site.
 *
 * OWNS       shards (a provider each, t00 … t31) by `domain-router.<shard>`; of each: window, pace, rest, leases, and `router.<shard>` in bucket reputation
 * HEARS      mail.<shard>.<lane> · router.<shard>.report/status/control, router.<node>.reports · senders.here · ip-manager.changed · scheduler.held · isp.status, isp.control
 * SAYS       sender.<id>.grant, sender.<id>.holdings · ip-manager.allowance · router.<shard>.drain · later.rest.<shard>.… and due.<lane> (MAIL)
 * INVARIANT  one owner per shard grants, senders refuse older epochs (S3); what is lent, lingers or may still be held never exceeds window, allowance
 *            and row per (IP × site) (S4); a source that stopped is given nothing (S5); mail leaves from its pool only (S6)
 * ON CRASH   another process owns the shard under a new epoch, asks every sender what it holds and adopts it; orders that waited come again by ack_wait
 * NOT HERE   what is sent and when (scheduler), from where and how much in all (ip-manager), the conversation and its outcomes (sender)
 */
import { decode, encode } from '../../protocol/codec.ts'
import type { CampaignHeld, ReportAnswers, Reports, SenderHere, SourceChanged } from '../../protocol/messages/permission.ts'
import { allShards } from '../../protocol/site.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Config } from '../runtime/config.ts'
import { watchFleet } from '../runtime/fleet-watch.ts'
import { openBucket } from '../runtime/kv.ts'
import type { ActorContext } from '../runtime/lifecycle.ts'
import { watchOwners } from '../runtime/owners.ts'
import { own, type Ownership } from '../runtime/ownership.ts'
import { AllowancePost } from './allowance-post.ts'
import type { ROUTER_CONFIG } from './config.ts'
import { GrantPost } from './grant-post.ts'
import { openIspDoor } from './isp-door.ts'
import { MemoryStore } from './memory-store.ts'
import type { Heard } from './policy/messages.ts'
import { networkOf } from './policy/network.ts'
import { ALLOWANCE_EVERY_MS, GRANT_HEARD_MS } from './policy/numbers.ts'
import { hearSender, type Roster } from './policy/roster.ts'
import { routerMetrics } from './router-metrics.ts'
import { askWithin, ShardActor } from './shard-actor.ts'
import { isIdle, newShard } from './state.ts'

const ROLE = 'domain-router'

export async function startRouter(context: ActorContext<Config<typeof ROUTER_CONFIG>>): Promise<AsyncDisposable> {
  const { bus, log, clock, config, nodeId, health } = context
  await using stack = new AsyncDisposableStack()
  const roster: Roster = new Map()
  const shards = new Map<string, ShardActor>()
  const tellAll = (heard: Heard) => {
    for (const shard of shards.values()) shard.tell(heard)
  }

  let network = networkOf(null)
  let ownership: Ownership | null = null
  const fleet = stack.use(
    watchFleet(bus, log, (record) => {
      network = networkOf(record.fleet)
      tellAll({ on: 'fleetChanged', network })
      ownership?.setShards(allShards(network.providers))
    }),
  )
  health.gate(() => (fleet.current() ? [] : ['no fleet document yet: hato apply FLEET']))
  await fleet.ready

  const owners = stack.adopt(
    watchOwners(openBucket(bus, 'owners'), ROLE, () => {}, { rowsOnly: true }),
    (watched) => watched.close(),
  )
  await owners.ready
  const reputation = openBucket(bus, 'reputation')
  const counters = routerMetrics(context.metrics, () => [...shards.values()].map(({ shard }) => shard), clock.mono)

  stack.use(
    bus.hear(subject('senderHere', {}), ({ body }) => {
      const here = decode<SenderHere>(body)
      hearSender(roster, here, clock.mono())
      // Idle shards share the roster; only those with work need to look at it now.
      for (const actor of shards.values()) if (!isIdle(actor.shard) || actor.shard.unsure.length > 0) actor.tell({ on: 'senderHere', here })
    }),
  )
  stack.use(bus.hear(subject('sourceChanged', {}), ({ body }) => tellAll({ on: 'sourceChanged', changed: decode<SourceChanged>(body) })))
  stack.use(bus.hear(subject('campaignHeld', {}), ({ body }) => tellAll({ on: 'campaignHeld', held: decode<CampaignHeld>(body) })))

  stack.use(
    bus.serve(subject('reports', { router: nodeId }), ({ body, reply }) => {
      const answers = decode<Reports>(body).reports.map(({ shard, report }) => shards.get(shard)?.report(report) ?? null)
      reply(encode({ answers } satisfies ReportAnswers))
    }),
  )

  const grants = new GrantPost({
    ask: (sender, body) => askWithin(bus, subject('grant', { sender }), body, GRANT_HEARD_MS),
    takesMany: (sender) => roster.get(sender)?.manyGrants ?? false,
  })
  const allowances = new AllowancePost({ ask: (body) => askWithin(bus, subject('allowance', {}), body, ALLOWANCE_EVERY_MS) })
  ownership = stack.use(
    await own({
      bucket: openBucket(bus, 'owners'),
      role: ROLE,
      nodeId,
      shards: allShards(network.providers),
      clock,
      log,
      ttlMs: config.livenessTtlMs,
      onGained(name, epoch) {
        const actor = new ShardActor(newShard(name, nodeId, roster, network), {
          bus,
          clock,
          log,
          maxAckPending: config.maxAckPending,
          mayGrant: () => ownership?.epochOf(name) === epoch && ownership.mayGrant(name),
          memory: new MemoryStore(reputation, name, log),
          grants,
          allowances,
          counters,
        })
        shards.set(name, actor)
        void actor.start(epoch)
      },
      async onLost(name, because) {
        const actor = shards.get(name)
        shards.delete(name)
        if (because === 'given' || because === 'stopping') await actor?.release()
        else await actor?.[Symbol.asyncDispose]()
      },
    }),
  )
  stack.use(openIspDoor({ bus, log, nodeId, owners, network: () => network, shards, askWithinMs: config.askWithinMs }))
  return stack.move()
}
