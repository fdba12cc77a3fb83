import type { EpochMs } from '../../../protocol/words.ts'
import type { Counts, Halved, Ip, Manager, Pair } from '../state.ts'
import type { IpState } from './ip-modes.ts'
import type { Source } from './modes.ts'
import type { ZoneView } from './dnsbl.ts'
import type { PoolAtSite } from './pool.ts'

/** What rests in bucket `reputation`: everything that follows from the outcomes up to `position`, and what people ordered. */
export interface Memory {
  readonly v: 1
  readonly position: number
  readonly now: EpochMs
  readonly ips: readonly RememberedIp[]
  readonly pools: readonly (readonly [key: string, pool: PoolAtSite])[]
  /** these two are absent in what an older version saved */
  readonly zones?: readonly (readonly [zone: string, view: ZoneView])[]
  readonly halved?: readonly (readonly [key: string, halved: Halved])[]
}
interface RememberedIp {
  readonly address: string
  readonly state: IpState
  readonly tail: CountsRow
  readonly namedAt: EpochMs
  readonly pairs: readonly RememberedPair[]
}
/** NOTE: a row and not an object: 20,000 of them are packed in one turn, and names of fields would be two thirds of the bytes. */
type RememberedPair = readonly [
  site: string,
  usedAt: EpochMs,
  counts: CountsRow,
  blamedBy: readonly (readonly [tenant: string, times: number])[],
  ramp: RampRow | null,
  score: readonly [delivered: number, blamed: number, complained: number, at: EpochMs],
  ...mode: [mode: Source['mode'], because: string | null, until: EpochMs | null, since: EpochMs, before: Source['before'], step: number, probing: boolean],
  ...past: [proven: number, coolings: Source['coolings'], strikes: Source['strikes'] | null],
  ...traffic: [bestDay: number, todayAt: EpochMs, todaySent: number, lastTrafficAt: EpochMs],
]
type CountsRow = readonly [delivered: number, deferred: number, bounced: number, blocked: number, complained: number]
/** slot, mails, slot, mails …: a day of ten-minute slots as objects would be most of the memory */
type RampRow = Omit<NonNullable<Source['ramp']>, 'slots'> & { readonly slots: readonly number[] }

export function toMemory(manager: Manager): Memory {
  return {
    v: 1,
    position: manager.position,
    now: manager.now,
    ips: [...manager.ips.values()].map(({ address, state, tail, namedAt, pairs }) => ({
      address,
      state,
      tail: countsRow(tail),
      namedAt,
      pairs: [...pairs.values()].map(rememberedPair),
    })),
    pools: [...manager.pools],
    zones: [...manager.zones],
    halved: [...manager.halved],
  }
}

/** Fills an empty manager. */
export function fromMemory(manager: Manager, memory: Memory): void {
  manager.position = memory.position
  manager.now = memory.now
  for (const { address, state, tail, namedAt, pairs } of memory.ips) {
    const ip: Ip = {
      address,
      state,
      tail: countsOf(tail),
      trouble: null,
      seenAs: new Map(),
      namedAt,
      pairs: new Map(pairs.map((row) => [row[0], pairOf(row)])),
    }
    manager.ips.set(address, ip)
  }
  for (const [key, pool] of memory.pools) manager.pools.set(key, pool)
  for (const [zone, view] of memory.zones ?? []) manager.zones.set(zone, view)
  for (const [key, halved] of memory.halved ?? []) manager.halved.set(key, halved)
}

function rememberedPair({ site, source, counts, blamedBy, usedAt }: Pair): RememberedPair {
  const { ramp, score, mode, because, until, since, before, step, probing, proven, coolings, strikes, bestDay, today, lastTrafficAt } = source
  const rampRow = ramp === null ? null : { ...ramp, slots: ramp.slots.flatMap(({ slot, sent }) => [slot, sent]) }
  const scoreRow = [score.delivered, score.blamed, score.complained, score.at] as const
  const struck = Object.keys(strikes).length === 0 ? null : strikes
  return [
    ...([site, usedAt, countsRow(counts), [...blamedBy], rampRow, scoreRow] as const),
    ...([mode, because, until, since, before, step, probing] as const),
    ...([proven, coolings, struck] as const),
    ...([bestDay, today.at, today.sent, lastTrafficAt] as const),
  ]
}

function pairOf(row: RememberedPair): Pair {
  const [
    site,
    usedAt,
    counts,
    blamedBy,
    ramp,
    score,
    mode,
    because,
    until,
    since,
    before,
    step,
    probing,
    proven,
    coolings,
    strikes,
    bestDay,
    todayAt,
    todaySent,
    lastTrafficAt,
  ] = row
  const [delivered, blamed, complained, at] = score
  const source: Source = {
    mode,
    because,
    until,
    since,
    before,
    step,
    probing,
    proven,
    coolings,
    strikes: strikes ?? {},
    ramp: ramp === null ? null : rampOf(ramp),
    bestDay,
    today: { at: todayAt, sent: todaySent },
    lastTrafficAt,
    score: { delivered, blamed, complained, at },
  }
  return { site, source, counts: countsOf(counts), blamedBy: new Map(blamedBy), recent: [], usedAt }
}

function rampOf({ slots, ...ramp }: RampRow): Source['ramp'] {
  return { ...ramp, slots: slots.flatMap((slot, at) => (at % 2 === 0 ? [{ slot, sent: slots[at + 1] ?? 0 }] : [])) }
}

function countsRow({ delivered, deferred, bounced, blocked, complained }: Counts): CountsRow {
  return [delivered, deferred, bounced, blocked, complained]
}

function countsOf([delivered, deferred, bounced, blocked, complained]: CountsRow): Counts {
  return { delivered, deferred, bounced, blocked, complained }
}
