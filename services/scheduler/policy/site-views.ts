import type { Drain } from '../../../protocol/messages/permission.ts'
import type { EpochMs, Lane } from '../../../protocol/words.ts'

/** A router that says nothing for so long has nothing in hand, or is gone; while there is something it speaks twice a second. */
export const ROUTER_SILENT_MS = 3_000

const LANES = ['urgent', 'bulk'] as const
type Way = { readonly seq: number; readonly count: number }[]

/** What the scheduler knows of one site's way to its mailboxes. */
export interface SiteView {
  readonly shard: string
  perS: number
  resting: { readonly because: string; readonly until: EpochMs } | null
  /** pools that rest here while others lend: their orders would only be parked */
  restingPools: NonNullable<Drain['sites'][number]['restingPools']>
  /** From domains whose mail rests here: a reply blamed the sender */
  restingSenders: NonNullable<Drain['sites'][number]['restingSenders']>
  /** recipients in the hands of router and senders */
  readonly held: Record<Lane, number>
  /** released and not yet seen by the router, by order sequence */
  readonly onTheWay: Record<Lane, Way>
}

interface ShardView {
  epoch: number
  heardAt: EpochMs
}

/**
 * What is on the way to each site, as routers tell it. A message names every site of its shard that is not idle, so one it leaves out holds nothing;
 * a new epoch or silence ends what the router before had in hand: its orders come back from the stream and are counted when they are taken.
 */
export class SiteViews {
  readonly #sites = new Map<string, SiteView>()
  /** by shard, the sites it told of last: a campaign has ten thousand, and thirty-two shards tell of their busy ones twice a second */
  readonly #told = new Map<string, ReadonlySet<string>>()
  /** by shard, whose orders are on the way, in the order of the stream */
  readonly #ways = new Map<string, Record<Lane, { readonly seq: number; readonly site: string }[]>>()
  readonly #shards = new Map<string, ShardView>()

  drained(drain: Drain, now: EpochMs): void {
    const shard = this.#shards.get(drain.shard) ?? { epoch: drain.epoch, heardAt: now }
    if (drain.epoch < shard.epoch) return // a zombie
    const anew = shard.epoch > 0 && drain.epoch > shard.epoch
    this.#shards.set(drain.shard, { epoch: drain.epoch, heardAt: now })
    const told = new Map(drain.sites.map((row) => [row.site, row]))
    // Also of a site that nothing was released to in this term: its rest is the reason of what waits in the schedule, its pace what the next campaign begins with.
    for (const row of drain.sites)
      if (row.perS > 0 || row.resting !== null || row.restingPools !== undefined || row.restingSenders !== undefined) this.#view(row.site, drain.shard, now)
    const before = this.#told.get(drain.shard) ?? []
    this.#told.set(drain.shard, new Set(told.keys()))
    for (const site of new Set([...before, ...told.keys()])) {
      const view = this.#sites.get(site)
      const row = told.get(site)
      if (view === undefined) continue
      view.perS = row?.perS ?? 0
      view.resting = row?.resting ?? null
      view.restingPools = row?.restingPools ?? []
      view.restingSenders = row?.restingSenders ?? []
      for (const lane of LANES) view.held[lane] = row?.[lane] ?? 0
    }
    for (const lane of LANES) this.#arrived(drain.shard, lane, anew ? Number.POSITIVE_INFINITY : drain.upTo[lane])
  }

  /** The router has taken in everything up to this order. */
  #arrived(shard: string, lane: Lane, upTo: number): void {
    const ways = this.#ways.get(shard)?.[lane] ?? []
    let arrived = 0
    while (arrived < ways.length && (ways[arrived]?.seq ?? 0) <= upTo) {
      const way = this.#sites.get(ways[arrived++]?.site ?? '')?.onTheWay[lane]
      while (way?.[0] !== undefined && way[0].seq <= upTo) way.shift()
    }
    ways.splice(0, arrived)
  }

  released(site: string, shard: string, lane: Lane, order: { readonly seq: number; readonly count: number }, now: EpochMs): void {
    this.#view(site, shard, now).onTheWay[lane].push(order)
    const ways = this.#ways.get(shard) ?? { urgent: [], bulk: [] }
    this.#ways.set(shard, ways)
    ways[lane].push({ seq: order.seq, site })
  }

  get(site: string): SiteView | undefined {
    return this.#sites.get(site)
  }

  /** What rests there while others go on: the campaign's pool, or its From domain. Its orders would only be parked. */
  partRest(site: string, { pool, from }: { readonly pool: string; readonly from?: string }): { readonly because: string; readonly until: EpochMs } | null {
    const view = this.#sites.get(site)
    return view?.restingPools.find((rest) => rest.pool === pool) ?? view?.restingSenders.find((rest) => rest.from === from) ?? null
  }

  /** Recipients on the way, and when silence will have proven that there are none. */
  onTheWay(
    site: string,
    shard: string,
    lane: Lane,
    now: EpochMs,
  ): { readonly count: number; readonly perS: number; readonly resting: boolean; readonly silentAt: EpochMs } {
    const view = this.#view(site, shard, now)
    const silentAt = (this.#shards.get(shard)?.heardAt ?? now) + ROUTER_SILENT_MS
    if (silentAt <= now) {
      for (const each of LANES) {
        view.held[each] = 0
        view.onTheWay[each].length = 0
      }
      view.resting = null
      view.restingPools = []
      view.restingSenders = []
      // What is released from now on has its own three seconds.
      this.#shards.set(shard, { epoch: this.#shards.get(shard)?.epoch ?? 0, heardAt: now })
    }
    const count = view.held[lane] + view.onTheWay[lane].reduce((sum, order) => sum + order.count, 0)
    return { count, perS: view.perS, resting: view.resting !== null && view.resting.until > now, silentAt: silentAt <= now ? now + ROUTER_SILENT_MS : silentAt }
  }

  /** Sites that nobody sends to any more are forgotten (S8). */
  keepOnly(isUsed: (site: string) => boolean): void {
    for (const site of this.#sites.keys()) if (!isUsed(site)) this.#sites.delete(site)
  }

  get size(): number {
    return this.#sites.size
  }

  #view(site: string, shard: string, now: EpochMs): SiteView {
    const known = this.#sites.get(site)
    if (known) return known
    const view: SiteView = {
      shard,
      perS: 0,
      resting: null,
      restingPools: [],
      restingSenders: [],
      held: { urgent: 0, bulk: 0 },
      onTheWay: { urgent: [], bulk: [] },
    }
    this.#sites.set(site, view)
    if (!this.#shards.has(shard)) this.#shards.set(shard, { epoch: 0, heardAt: now })
    return view
  }
}
