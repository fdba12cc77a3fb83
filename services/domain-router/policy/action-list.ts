import type { EpochMs } from '../../../protocol/words.ts'
import type { Action, Shard } from '../state.ts'

/** A person's orders for a site that are in force. */
export function actionsOn(shard: Shard, site: string, now: EpochMs): readonly Action[] {
  const actions = shard.actions.get(site)
  return actions === undefined ? NONE : actions.filter(({ until }) => until > now)
}
const NONE: readonly Action[] = []
