import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import { type Moment, type Shard, type Site, siteOf } from '../state.ts'
import { endActions, obeyControl } from './actions.ts'
import { beginAdopting, hearDuringAdoption, hearHoldings, hearNoHoldings } from './adopt.ts'
import { askFresh, hearAllowances, hearSourceChanged } from './allowances.ts'
import { tellDry } from './drain.ts'
import { hearGrantAnswer, hearGrantTimeOut } from './answers.ts'
import { isHere } from './copies.ts'
import { look, wakeAt } from './look.ts'
import { digestOf, memoryOf, recall } from './memory.ts'
import type { Heard, Memory, Say } from './messages.ts'
import { CAMPAIGN_HELD_MS } from './numbers.ts'
import { parkAll, parkCampaign, parkResting } from './parking.ts'
import { place, placeAll } from './place.ts'
import { enqueue } from './queue.ts'
import { hearReport } from './report.ts'
import { hearSender } from './roster.ts'
import { statusOf } from './status.ts'

/**
 * The router's one decider: a message reaches a shard, which changes in place; `say` is what the shell shall do, in this order, and `wakeAt` when to bring
 * the next `tick` (null = none is needed). Time, dice and permission come with the message.
 */
export function receive(shard: Shard, heard: Heard, at: Moment): { readonly say: Say[]; readonly wakeAt: number | null } {
  const say = heard.on === 'gained' || shard.epoch !== 0 ? obey(shard, heard, at) : []
  if (shard.epoch !== 0) say.push(...look(shard, at))
  return { say, wakeAt: wakeAt(shard) }
}

function obey(shard: Shard, heard: Heard, at: Moment): Say[] {
  switch (heard.on) {
    case 'gained':
      return gain(shard, heard.epoch, heard.memory, at)
    case 'released': {
      const memory = memoryOf(shard, at)
      const orders = [...shard.sites.values()].flatMap(parkAll)
      empty(shard)
      return [...orders, { say: 'save', memory }]
    }
    case 'lost':
      empty(shard)
      return []
    case 'ordersArrived':
      return takeIn(shard, heard.orders, at)
    case 'senderHere':
      hearSender(shard.roster, heard.here, at.mono)
      return [...hearDuringAdoption(shard, heard.here.sender), ...placeAll(shard, at)]
    case 'report': {
      const { says, sites } = hearReport(shard, heard.report, at)
      tellDry(shard, sites, at)
      return [...says, ...(isCrowded(shard, heard.report.sender, at) ? placeAll(shard, at) : [...sites].flatMap((site) => place(shard, site, at)))]
    }
    case 'grantAnswered':
      return settle(shard, heard, () => hearGrantAnswer(shard, heard, at), at)
    case 'grantTimedOut':
      return settle(shard, heard, () => hearGrantTimeOut(shard, heard, at), at)
    case 'holdingsAnswered':
      return hearHoldings(shard, heard.holdings, at)
    case 'holdingsTimedOut':
      hearNoHoldings(shard, heard.sender)
      return []
    case 'allowances':
      return hearAllowances(shard, heard.allowances, heard.asked, at).flatMap((site) => [...place(shard, site, at), ...parkResting(shard, site, at)])
    case 'sourceChanged':
      return hearSourceChanged(shard, heard.changed, at)
    case 'campaignHeld':
      return holdCampaign(shard, heard.held, at)
    case 'ispControl':
      shard.changed = true
      return [...endActions(shard, at), ...obeyControl(shard, heard.site, heard.control, at), ...placeAll(shard, at)]
    case 'statusAsked':
      return [{ say: 'answerStatus', sites: statusOf(shard, heard.site, at) }]
    case 'fleetChanged':
      shard.network = heard.network
      return []
    case 'saved':
      shard.holders = new Set(heard.holders)
      return placeAll(shard, at)
    case 'saveFailed':
      shard.savedAs = ''
      shard.holdersNamed = shard.holders
      shard.changed = true
      return []
    case 'tick':
      return []
  }
}

function gain(shard: Shard, epoch: number, memory: Memory | null, at: Moment): Say[] {
  empty(shard)
  shard.epoch = epoch
  shard.ownedAt = at.mono
  if (memory !== null) recall(shard, memory, at)
  shard.savedAs = digestOf(memory ?? { actions: [], pairs: [], holders: [] })
  shard.holders = new Set(memory?.holders)
  shard.holdersNamed = shard.holders
  return beginAdopting(shard, memory?.holders ?? [], at)
}

function empty(shard: Shard): void {
  shard.epoch = 0
  shard.adopting = null
  shard.unsure = []
  shard.told = false
  shard.changed = false
  shard.grown = false
  shard.savedAs = ''
  shard.holders = new Set()
  shard.holdersNamed = new Set()
  for (const collection of [shard.sites, shard.awake, shard.leases, shard.actions, shard.memory, shard.heldCampaigns]) collection.clear()
  Object.assign(shard.upTo, { urgent: 0, bulk: 0 })
  Object.assign(shard, { perS: 0, perSAt: 0 })
  Object.assign(shard.timers, { quietAt: 0, drainAt: 0, allowanceAt: 0, rebalanceAt: 0, saveAt: 0, growthAt: 0, lookAt: 0 })
}

function takeIn(shard: Shard, orders: readonly HeldOrder[], at: Moment): Say[] {
  const says: Say[] = []
  const sites = new Set<Site>()
  for (const held of orders) {
    const { order, seq } = held
    shard.upTo[order.lane] = Math.max(shard.upTo[order.lane], seq)
    shard.orderSize[order.lane] += (order.count - shard.orderSize[order.lane]) / 50
    const site = siteOf(shard, order.site, order.provider, at.mono)
    site.provider ??= order.provider
    if (isHere(site, held, at)) continue
    if (isHeldCampaign(shard, order, at)) says.push({ say: 'park', held, at: null, because: 'resting' })
    else {
      enqueue(site.queue, { held, touchedAt: at.mono }, at.now)
      sites.add(site)
    }
  }
  says.push(...askFresh(shard, sites, at))
  for (const site of sites) says.push(...place(shard, site, at))
  return says
}

function holdCampaign(shard: Shard, { tenant, campaign, state }: Extract<Heard, { on: 'campaignHeld' }>['held'], at: Moment): Say[] {
  const key = `${tenant}/${campaign}`
  if (state === 'running') {
    shard.heldCampaigns.delete(key)
    return []
  }
  shard.heldCampaigns.set(key, at.mono + CAMPAIGN_HELD_MS)
  return [...shard.sites.values()].flatMap((site) => parkCampaign(site, tenant, campaign, state === 'cancelled' ? 'cancelled' : 'resting'))
}

function isHeldCampaign(shard: Shard, { tenant, campaign }: HeldOrder['order'], at: Moment): boolean {
  return (shard.heldCampaigns.get(`${tenant}/${campaign}`) ?? 0) > at.mono
}

/** After a grant's answer its site is placed anew: more may be wanted there, or the refused orders go elsewhere. */
function settle(shard: Shard, { lease, orders }: { readonly lease: string; readonly orders: readonly HeldOrder[] }, hear: () => Say[], at: Moment): Say[] {
  // Asked before: a refused lease is forgotten.
  const name = shard.leases.get(lease)?.site ?? orders[0]?.order.site
  const says = hear()
  const site = name === undefined ? undefined : shard.sites.get(name)
  return site === undefined ? says : [...says, ...place(shard, site, at)]
}

/** Room at this sender is wanted by others too: what its report freed is not for its own sites first. */
function isCrowded(shard: Shard, sender: string, at: Moment): boolean {
  return (shard.roster.get(sender)?.wantedUntil ?? 0) > at.mono
}
