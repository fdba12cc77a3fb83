import { hasWaiting, hasWork, isIdle, type Moment, type Shard, type Site } from '../state.ts'
import { endActions } from './actions.ts'
import { endAdopting } from './adopt.ts'
import { askAllowances } from './allowances.ts'
import { endWaits } from './answers.ts'
import { forgetQuiet } from './asleep.ts'
import { mustBeGone } from './count.ts'
import { tellDrain } from './drain.ts'
import { drop } from './ending.ts'
import { keptAlive } from './keep-alive.ts'
import { digestOf, lacksHolder, memoryOf, namesGone } from './memory.ts'
import type { Say } from './messages.ts'
import { LOOK_MS, REBALANCE_EVERY_MS, SAVE_EVERY_MS, SAVE_GROWTH_EVERY_MS } from './numbers.ts'
import { parkExpired, parkOverflow, parkResting } from './parking.ts'
import { placeAll } from './place.ts'
import { everyWaiting } from './queue.ts'
import { rebalance } from './rebalance.ts'
import { forgetSilent } from './roster.ts'

/** What time brings, four times a second while the shard has anything to do. */
export function look(shard: Shard, at: Moment): Say[] {
  if (at.mono < shard.timers.lookAt) return []
  shard.timers.lookAt = at.mono + LOOK_MS
  const says: Say[] = [...(endAdopting(shard, at) ?? []), ...endActions(shard, at)]
  forgetSilent(shard.roster, at.mono)
  endUnsure(shard, at)
  for (const [campaign, until] of shard.heldCampaigns) if (until <= at.mono) shard.heldCampaigns.delete(campaign)
  says.push(...endWaits(shard, at))
  for (const lease of [...shard.leases.values()]) if (mustBeGone(lease, at.mono)) says.push(...drop(shard, lease, 'silent', at))
  for (const site of shard.awake) {
    site.usedAt = at.mono
    says.push(...parkExpired(site, at))
  }
  // Placed first: what a sender takes now need not wait anywhere.
  says.push(...placeAll(shard, at))
  for (const site of shard.awake) if (hasWaiting(site)) says.push(...parkResting(shard, site, at), ...keepAlive(site, at))
  says.push(...parkOverflow(shard, at))
  if (at.mono >= shard.timers.rebalanceAt) {
    shard.timers.rebalanceAt = at.mono + REBALANCE_EVERY_MS
    rebalance(shard, at)
  }
  if (at.mono >= shard.timers.allowanceAt) says.push(...askAllowances(shard, at))
  says.push(...tellDrain(shard, at), ...save(shard, at))
  if (at.mono >= shard.timers.quietAt) forgetQuiet(shard, at)
  return says
}

/** A silent sender's time is over: the memory need not name it any more. */
function endUnsure(shard: Shard, at: Moment): void {
  const unsure = shard.unsure.filter(({ until }) => until > at.mono)
  if (unsure.length < shard.unsure.length) shard.changed = true
  shard.unsure = unsure
}

function keepAlive(site: Site, at: Moment): Say[] {
  const says: Say[] = []
  for (const waiting of everyWaiting(site.queue)) if (keptAlive(waiting, at.mono)) says.push({ say: 'touch', held: waiting.held })
  return says
}

/** Changed things are saved together, at most once in 2 s, what only grew twice a minute; a new sender at once, since it is lent to only then. */
function save(shard: Shard, at: Moment): Say[] {
  const isNew = hasWork(shard) && lacksHolder(shard, at.mono)
  if (namesGone(shard, at.mono)) shard.changed = true
  const isDue = (shard.changed && at.mono >= shard.timers.saveAt) || (shard.grown && at.mono >= shard.timers.growthAt)
  if (!isNew && !isDue) return []
  shard.timers.saveAt = at.mono + SAVE_EVERY_MS
  shard.timers.growthAt = at.mono + SAVE_GROWTH_EVERY_MS
  shard.changed = false
  shard.grown = false
  const memory = memoryOf(shard, at)
  const digest = digestOf(memory)
  if (digest === shard.savedAs) return []
  shard.savedAs = digest
  shard.holdersNamed = new Set(memory.holders)
  return [{ say: 'save', memory }]
}

/** When to look again; null = not before something is heard. */
export function wakeAt(shard: Shard): number | null {
  if (shard.epoch === 0) return null
  if (!isIdle(shard) || shard.awake.size > 0 || shard.told || shard.changed || shard.actions.size > 0 || shard.unsure.length > 0) return shard.timers.lookAt
  return shard.sites.size > 0 ? Math.max(shard.timers.lookAt, shard.timers.quietAt) : null
}
