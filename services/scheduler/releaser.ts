import { encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import { UNDER_WAY } from '../../protocol/messages/campaign.ts'
import type { Drain } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { EpochMs, Lane } from '../../protocol/words.ts'
import type { Bus, Entry } from '../runtime/bus/types.ts'
import type { Log } from '../runtime/log.ts'
import { AtOnce } from './at-once.ts'
import type { Campaigns, Running, SiteQueue } from './campaigns.ts'
import { orderOf } from './commit.ts'
import { placeKindOf } from './grouping.ts'
import type { AllotmentBook } from './policy/allotments.ts'
import { earn, earnedAt } from './policy/pace.ts'
import { type Deficits, forgetAbsent, pick, room } from './policy/release.ts'
import { holdAt } from './policy/site-holds.ts'
import { SiteViews } from './policy/site-views.ts'
import { hoursOf } from './policy/window.ts'
import { charge, type Chosen, nextOf, sampleLeft, type Turn } from './turns.ts'
import type { Reason } from './under-way.ts'

/** Routers speak twice a second, each at its own moment; a site's room is seconds of what it drains. */
const TOGETHER_MS = 50

/** entries of one atomic batch: an order and its cursor each */
const RELEASES = 100

export interface ReleaserOptions {
  readonly bus: Bus
  readonly log: Log
  readonly campaigns: Campaigns
  readonly tenantWeight: (tenant: string) => number
  readonly book: AllotmentBook
  readonly now: () => EpochMs
  readonly onReleased: (running: Running) => void
  readonly onTrouble: (error: unknown, running: Running) => void
}

/**
 * Releases batches as orders, a few seconds of what each site drains, by weight: so pause and cancel act here, a full or resting site stops nobody
 * else, and a campaign of ten million never stands before one of a hundred. Orders and the cursors that count them are one atomic batch.
 */
export class Releaser implements Disposable {
  readonly #options: ReleaserOptions
  readonly #sites = new SiteViews()
  /** what goes with the step that cuts it */
  readonly atOnce: AtOnce
  readonly #deficits = new Map<string, Deficits>()
  /** campaigns of which the rest waits for a sample's outcomes somewhere */
  readonly #sampling = new WeakSet<Running>()
  #running: Promise<void> | null = null
  #again = false
  #timer: NodeJS.Timeout | null = null
  #together: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: ReleaserOptions) {
    this.#options = options
    this.atOnce = new AtOnce(options, this.#sites)
  }

  /** What a router says of its sites: the events that release goes by. A pass looks at all sites, so one serves the routers of a moment. */
  drained(drain: Drain): void {
    this.#sites.drained(drain, this.#options.now())
    if (this.#closed) return
    this.#together ??= setTimeout(() => {
      this.#together = null
      this.look()
    }, TOGETHER_MS)
  }

  /** Outcomes of the campaign were counted: perhaps its sample is in. */
  counted(running: Running): void {
    if (this.#sampling.delete(running)) this.look()
  }

  /** Why a site's unreleased recipients wait. */
  why(running: Running, site: string): Reason {
    const rest = this.#restOf(running, site)
    if (rest !== null) return rest
    if (running.record.rate !== null && running.rate.allowed < 1) return { because: 'campaign-rate', until: this.#options.now() + 1_000 }
    const queue = running.queues.get(site)
    if (queue && sampleLeft(running, queue) <= 0) return { because: 'sample', until: null }
    const refusal = queue && this.#options.book.refusal(running.record, queue, queue.batches[0]?.count ?? 1, this.#options.now())
    return refusal ?? { because: 'site-pace', until: null }
  }

  /** Why a site's released recipients are not there yet. */
  whyUnderWay(running: Running, site: string): Reason {
    return this.#restOf(running, site) ?? { because: UNDER_WAY, until: null }
  }

  #restOf({ record }: Running, site: string): Reason | null {
    if (record.state === 'paused') return { because: 'paused', until: null }
    if (record.state === 'scheduled') return { because: 'scheduled', until: record.startAt }
    const hold = holdAt(record, site)
    if (hold !== null) return { because: hold.because, until: null }
    const hours = hoursOf(record.window, this.#options.now())
    if (hours.kind === 'closed') return { because: 'window', until: hours.until }
    const view = this.#sites.get(site)
    if (view?.resting) return view.resting
    const part = this.#sites.partRest(site, record)
    return part ? { because: part.because, until: part.until } : null
  }

  /** A campaign ended: what only it used is forgotten. */
  forget(): void {
    const used = new Set([...this.#options.campaigns.all()].flatMap(({ queues, underWay }) => [...queues.keys(), ...underWay.sites()]))
    this.#sites.keepOnly((site) => used.has(site))
    for (const key of this.#deficits.keys()) if (!used.has(key.slice(key.indexOf(' ') + 1))) this.#deficits.delete(key)
  }

  /** Something changed: release what there is room for. One pass at a time. */
  look(): void {
    if (this.#closed) return
    if (this.#running) {
      this.#again = true
      return
    }
    this.#again = false
    this.#running = this.#releaseAll().finally(() => {
      this.#running = null
      if (this.#again) this.look()
    })
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const timer of [this.#timer, this.#together]) if (timer) clearTimeout(timer)
  }

  async #releaseAll(): Promise<void> {
    for (;;) {
      const toDue = this.#toDue()
      const chosen = toDue.length > 0 ? toDue : this.#choose()
      if (chosen.length === 0) return
      if (!(await this.#release(chosen))) return
    }
  }

  /** Batches that need no router: no site is known for them, or their campaign's time is over. The due check settles them. A cancelled campaign's are written off. */
  #toDue(): Chosen[] {
    const now = this.#options.now()
    const chosen: Chosen[] = []
    for (const running of this.#options.campaigns.all()) {
      const { record, queues } = running
      if (running.restores > 0 || record.state === 'cancelling') continue
      const over = record.deadline <= now
      for (const queue of queues.values()) {
        if (!over && placeKindOf(queue.site) === 'site') continue
        for (const batch of queue.batches.slice(0, RELEASES - chosen.length)) chosen.push({ running, queue, batch, lane: record.lane, to: 'due' })
      }
    }
    return chosen
  }

  /** Up to a hundred batches whose turn it is, at most one step of each (campaign, site) cursor: the last of them is what the cursor says. */
  #choose(): Chosen[] {
    const now = this.#options.now()
    const chosen: Chosen[] = []
    let wakeAt = Number.POSITIVE_INFINITY
    for (const lane of ['urgent', 'bulk'] as const) {
      for (const [site, candidates] of this.#candidates(lane, now)) {
        const [first] = candidates
        const way = this.#sites.onTheWay(site, first?.queue.shard ?? '', lane, now)
        const deficits = this.#deficits.get(`${lane} ${site}`) ?? new Map<string, number>()
        this.#deficits.set(`${lane} ${site}`, deficits)
        forgetAbsent(deficits, candidates)
        let left = room({ onTheWay: way.count, perS: way.perS }, way.resting)
        if (left <= 0) wakeAt = Math.min(wakeAt, way.silentAt)
        while (left > 0 && chosen.length < RELEASES) {
          for (const candidate of candidates) candidate.next = this.#nextOf(candidate, now)
          const turn = pick(candidates, deficits)
          if (turn === null) break
          const batch = turn.queue.batches[turn.taken] as { seq: number; count: number }
          charge(turn, batch.count)
          this.#options.book.spend(turn.running.record, turn.queue, batch.count, now)
          chosen.push({ running: turn.running, queue: turn.queue, batch, lane, to: 'router' })
          left -= batch.count
        }
        for (const { running, queue, taken } of candidates) {
          const batch = queue.batches[taken]
          if (batch === undefined) continue
          if (running.record.rate !== null) wakeAt = Math.min(wakeAt, Math.max(now + 50, earnedAt(running.rate, running.record.rate, now)))
          wakeAt = Math.min(wakeAt, this.#options.book.refusal(running.record, queue, batch.count, now)?.until ?? wakeAt)
        }
      }
    }
    this.#wake(wakeAt, now)
    return chosen
  }

  #candidates(lane: Lane, now: EpochMs): Map<string, Turn[]> {
    const sites = new Map<string, Turn[]>()
    for (const running of this.#options.campaigns.all()) {
      const { record } = running
      if (running.restores > 0 || record.lane !== lane || (record.state !== 'running' && record.state !== 'counting')) continue
      if (record.startAt > now || record.deadline <= now || hoursOf(record.window, now).kind === 'closed') continue
      if (record.rate !== null) earn(running.rate, record.rate, now)
      for (const queue of running.queues.values()) {
        if (queue.batches.length === 0 || placeKindOf(queue.site) !== 'site' || holdAt(record, queue.site) !== null) continue
        if ((this.#sites.partRest(queue.site, record)?.until ?? 0) > now) continue
        const list = sites.get(queue.site) ?? []
        const left = sampleLeft(running, queue)
        if (left <= 0) this.#sampling.add(running)
        list.push({
          running,
          queue,
          taken: 0,
          sampleLeft: left,
          next: null,
          tenant: record.tenant,
          tenantWeight: this.#options.tenantWeight(record.tenant) * this.#options.book.share(record, queue.site),
          campaign: record.id,
          weight: record.weight,
        })
        sites.set(queue.site, list)
      }
    }
    return sites
  }

  #nextOf(turn: Turn, now: EpochMs): number | null {
    const next = nextOf(turn, now)
    return next !== null && this.#options.book.refusal(turn.running.record, turn.queue, next, now) === null ? next : null
  }

  async #release(chosen: readonly Chosen[]): Promise<boolean> {
    const { bus, log, now } = this.#options
    const entries: Entry[] = []
    const cursors = new Map<SiteQueue, { running: Running; released: number }>()
    for (const { running, queue, batch, to, lane } of chosen) {
      const order = orderOf(running, batch.count, queue, batch.seq)
      const hours = hoursOf(running.record.window, now())
      const body = encode({ ...order, ...(hours.kind === 'open' && hours.until !== null && { pauseAt: hours.until }) })
      entries.push({ subject: to === 'due' ? subject('due', { lane }) : subject('order', { shard: queue.shard, lane }), body })
      cursors.set(queue, { running, released: batch.seq })
    }
    for (const [queue, { running, released }] of cursors) {
      const names = { tenant: running.record.tenant, campaign: running.record.id, site: token(queue.site) }
      entries.push({ subject: subject('releaseCursor', names), body: encode({ released }), rollup: true, expect: { seq: queue.cursorSeq } })
    }
    try {
      const stored = await bus.storeAll(entries)
      if (stored.kind !== 'stored') throw new ReleaseInterrupted(stored.kind === 'refused' ? `${stored.code} ${stored.message}` : stored.because)
      const firstSeq = stored.lastSeq - entries.length + 1
      for (const [at, { running, queue, batch, lane, to }] of chosen.entries()) {
        const place = queue.batches.indexOf(batch)
        if (place >= 0) queue.batches.splice(place, 1)
        queue.sample.released += batch.count
        // Once the list is read no batch follows: a tail of many small sites leaves nothing behind.
        if (queue.batches.length === 0 && running.expansion.done && running.queues.get(queue.site) === queue) running.queues.delete(queue.site)
        running.underWay.released(batch.seq, queue.site, batch.count)
        this.#options.onReleased(running)
        if (to === 'router') this.#sites.released(queue.site, queue.shard, lane, { seq: firstSeq + at, count: batch.count }, now())
      }
      for (const [at, queue] of [...cursors.keys()].entries()) queue.cursorSeq = firstSeq + chosen.length + at
      log.debug('released', { orders: chosen.length, first: campaignName((chosen[0] as Chosen).running.record) })
      return true
    } catch (error) {
      // What the stream says counts: the queues of these campaigns are read again.
      for (const running of new Set(chosen.map(({ running }) => running))) this.#options.onTrouble(error, running)
      return false
    }
  }

  /** The next moment at which time alone makes room: a campaign's rate, its hours, its start. */
  #wake(rateAt: EpochMs, now: EpochMs): void {
    let at = rateAt
    for (const { record, queues } of this.#options.campaigns.all()) {
      if (queues.size === 0) continue
      if (record.startAt > now) at = Math.min(at, record.startAt)
      if (record.deadline > now) at = Math.min(at, record.deadline)
      const hours = hoursOf(record.window, now)
      if (hours.kind === 'closed') at = Math.min(at, hours.until)
    }
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = at === Number.POSITIVE_INFINITY ? null : setTimeout(() => this.look(), Math.min(at - now + 5, 3_600_000))
  }
}

/** The orders may or may not be there. */
export class ReleaseInterrupted extends Error {
  override readonly name = 'ReleaseInterrupted'
}
