/** Who lives, and does everything have an owner? */
import { KEYS } from '../../../protocol/buckets.ts'
import { decode } from '../../../protocol/codec.ts'
import { mergeProviders } from '../../../protocol/providers/merge.ts'
import { BUILT_IN_PROVIDERS, providerTable } from '../../../protocol/providers/table.ts'
import type { FleetIsp } from '../../../protocol/fleet.ts'
import { allShards } from '../../../protocol/site.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { openBucket } from '../../../services/runtime/kv.ts'
import { counted } from '../format.ts'
import { bad, type Diagnosis, firstOf, good, warning } from './diagnosis.ts'

const ROLES = ['scheduler', 'domain-router', 'ip-manager', 'sender'] as const
type ActorRole = (typeof ROLES)[number]

/** What the owners bucket says, read once. */
export interface Owning {
  /** node ids alive, by role */
  readonly nodes: ReadonlyMap<string, readonly string[]>
  /** owner of each shard, `<role>.<shard>` */
  readonly owners: ReadonlyMap<string, string | null>
}

/** NOTE: by a watch, not by listing keys: those that are refreshed while a listing goes on would be missing in it. */
export async function readOwning(bus: Bus): Promise<Owning> {
  const nodes = new Map<string, string[]>(ROLES.map((role) => [role, []]))
  const owners = new Map<string, string | null>()
  const bucket = openBucket(bus, 'owners')
  await bucket.get(KEYS.owner('scheduler', 'all')) // says so when there is no such bucket; a watch would wait for it
  const watch = bucket.watch('>', ({ key, value }) => {
    if (value === null) return
    const [, role, id] = /^node\.([^.]+)\.(.+)$/.exec(key) ?? []
    if (role === undefined || id === undefined) owners.set(key, decode<{ owner: string | null }>(value).owner)
    else if (!nodes.get(role)?.includes(id)) nodes.set(role, [...(nodes.get(role) ?? []), id])
  })
  try {
    await watch.caughtUp
  } finally {
    watch.close()
  }
  return { nodes, owners }
}

/** The shards that must have an owner. */
export function shardsOf(role: ActorRole, isp: readonly FleetIsp[]): readonly string[] {
  if (role === 'sender') return []
  return role === 'domain-router' ? allShards(providerTable(mergeProviders(BUILT_IN_PROVIDERS, isp))) : ['all']
}

export function judgeActors({ nodes, owners }: Owning, isp: readonly FleetIsp[]): Diagnosis[] {
  return ROLES.map((role) => {
    const alive = nodes.get(role) ?? []
    if (alive.length === 0) return bad(`no ${role} is alive: ${WITHOUT[role]}. npm start runs all, hato run ${role} one more`)
    const shards = shardsOf(role, isp)
    const orphans = shards.filter((shard) => {
      const owner = owners.get(KEYS.owner(role, shard)) ?? null
      return owner === null || !alive.includes(owner)
    })
    const says = `${counted(alive.length, role)} alive: ${firstOf([...alive].sort(), 6, (id) => id).join(', ')}`
    if (orphans.length === 0) return good(says)
    const what =
      role === 'domain-router'
        ? `${counted(orphans.length, 'shard')} of ${shards.length} ${orphans.length === 1 ? 'has' : 'have'} no owner that lives: ${firstOf(orphans, 8, (shard) => shard).join(', ')}`
        : 'but none owns its work'
    return warning(`${says}; ${what}. An owner is found within seconds; look again`)
  })
}

const WITHOUT: Readonly<Record<ActorRole, string>> = {
  scheduler: 'no campaign is accepted or goes on, none has a status',
  'domain-router': 'nothing is handed to senders',
  'ip-manager': 'no IP may be used, no fleet can be applied',
  sender: 'nothing is sent',
}
