import type { EpochMs } from '../../protocol/words.ts'
import type { Campaigns, Running } from './campaigns.ts'
import type { Group } from './grouping.ts'
import type { AllotmentBook } from './policy/allotments.ts'
import { room } from './policy/release.ts'
import { isLarge, SAMPLE } from './policy/sample.ts'
import { holdAt } from './policy/site-holds.ts'
import type { SiteViews } from './policy/site-views.ts'
import { queueOf } from './restore.ts'

export interface AtOnceOptions {
  readonly campaigns: Pick<Campaigns, 'all'>
  readonly book: AllotmentBook
  readonly now: () => EpochMs
  readonly onReleased: (running: Running) => void
}

/**
 * Batches that are released with the step that cuts them: nobody's mail waits to be released to their site, it has room, and nothing holds the campaign back.
 * The releaser's next look would choose them all the same, with a message for each batch and one for its site's cursor; a tail of small sites is spared both.
 */
export class AtOnce {
  readonly #options: AtOnceOptions
  readonly #sites: SiteViews

  constructor(options: AtOnceOptions, sites: SiteViews) {
    this.#options = options
    this.#sites = sites
  }

  /** At most one batch of a site; what they use up is charged to them. */
  choose(running: Running, groups: readonly Group[]): ReadonlySet<Group> {
    const going = new Set<Group>()
    const { campaigns, book, now } = this.#options
    const at = now()
    if (groups.length === 0 || !isUnbound(running, at)) return going
    const waiting = new Set<string>()
    for (const { queues } of campaigns.all()) for (const { site, batches } of queues.values()) if (batches.length > 0) waiting.add(site)
    const { record } = running
    for (const group of groups) {
      const count = group.recipients.length
      if (waiting.has(group.site) || holdAt(record, group.site) !== null || !this.#isOpen(running, group, at)) continue
      if (book.refusal(record, group, count, at) !== null) continue
      book.spend(record, group, count, at)
      going.add(group)
    }
    return going
  }

  /** They are durable, `sent` in the order of the stream. */
  went(running: Running, sent: readonly { readonly group: Pick<Group, 'site' | 'provider' | 'shard'>; readonly seq: number; readonly count: number }[]): void {
    const { record, queues, underWay, expansion } = running
    const at = this.#options.now()
    for (const { group, seq, count } of sent) {
      underWay.released(seq, group.site, count)
      this.#sites.released(group.site, group.shard, record.lane, { seq, count }, at)
      if (expansion.done) queues.delete(group.site)
      else if (isLarge(record)) queueOf(queues, group).sample.released += count
    }
    if (sent.length > 0) this.#options.onReleased(running)
  }

  /** The site takes mail of this campaign, has room for it, and has seen no more of it than a sample may be. */
  #isOpen({ record, queues }: Running, { site, shard, recipients }: Group, at: EpochMs): boolean {
    const way = this.#sites.onTheWay(site, shard, record.lane, at)
    if (way.resting || (this.#sites.partRest(site, record)?.until ?? 0) > at) return false
    if (isLarge(record) && (queues.get(site)?.sample.released ?? 0) + recipients.length > SAMPLE.least) return false
    return room({ onTheWay: way.count, perS: way.perS }, false) >= recipients.length
  }
}

/** A rate and daily hours are the releaser's to keep. */
function isUnbound({ record, restores }: Running, at: EpochMs): boolean {
  const goes = record.state === 'running' || record.state === 'counting'
  return goes && restores === 0 && record.rate === null && record.window === null && record.startAt <= at && record.deadline > at
}
