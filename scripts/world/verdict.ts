/** The published list against what lies at the far end. Pure.
 *
 *  A campaign's recipient shows at the far end as one Message-ID for that address. So for every address: as many distinct
 *  Message-IDs as campaigns published it (fewer = lost, more = unpublished), each exactly once (more = doubled). */
import { canonical } from './models/address.ts'
import type { DesignOf } from './design.ts'
import type { Arrival } from './record.ts'

export type Published = {
  readonly campaign: string
  readonly addresses: Iterable<string>
  /** `address`: the same address twice in one campaign is one mail (default) · `none`: two mails */
  readonly dedupe?: 'address' | 'none'
  /** suppressed or cancelled on purpose: neither expected nor missed */
  readonly excused?: Iterable<string>
  /** what the sender says it delivered; expected at the far end whatever the design says */
  readonly claimed?: Iterable<string>
}

export type Verdict = {
  /** nothing lost, doubled or unpublished */
  readonly ok: boolean
  /** recipients that should be at the far end, by design or by the sender's claim */
  readonly expected: number
  readonly delivered: number
  readonly lost: number
  /** (Message-ID, RCPT) recorded more than once */
  readonly doubled: number
  /** those of them with a copy whose dot the world left unanswered: a sender may in good faith send again */
  readonly doubledAfterSilence: number
  readonly notDeliverableByDesign: number
  /** mails at the far end that no campaign published */
  readonly unpublished: number
  readonly lostSamples: readonly { readonly rcpt: string; readonly campaigns: readonly string[]; readonly design: string }[]
  readonly doubledSamples: readonly { readonly rcpt: string; readonly messageId: string; readonly count: number; readonly unanswered: number }[]
  readonly unpublishedSamples: readonly { readonly rcpt: string; readonly messageIds: readonly string[] }[]
}

export type FarEnd = ReadonlyMap<string, readonly Arrival[]>

const SAMPLES = 20

export function judge(farEnd: FarEnd, published: Iterable<Published>, designOf: DesignOf): Verdict {
  const judging = openJudging(farEnd, designOf)
  for (const campaign of published) judging.hear(campaign)
  return judging.close()
}

/** For lists too long for one array: `hear` any number of times, the same campaign in one piece. */
export function openJudging(farEnd: FarEnd, designOf: DesignOf): { hear(published: Published): void; close(): Verdict } {
  const wanted = new Map<string, Wanted>()
  let undeliverable = 0
  return {
    hear({ campaign, addresses, dedupe = 'address', excused = [], claimed = [] }) {
      const skip = new Set(Array.from(excused, canonical))
      const said = new Set(Array.from(claimed, canonical))
      const seen = new Set<string>()
      for (const address of addresses) {
        const rcpt = canonical(address)
        if (dedupe === 'address' && seen.has(rcpt)) continue
        seen.add(rcpt)
        const due = skip.has(rcpt) ? 'excused' : said.has(rcpt) || designOf(rcpt).end === 'delivered' ? 'expected' : 'undeliverable'
        if (due === 'undeliverable') undeliverable += 1
        want(wanted, rcpt, campaign, due)
      }
    },
    close: () => weigh(farEnd, wanted, undeliverable, designOf),
  }
}

type Due = 'expected' | 'excused' | 'undeliverable'
/** how many mails must be there, and how many may */
type Wanted = { must: number; may: number; readonly campaigns: string[] }

function want(wanted: Map<string, Wanted>, rcpt: string, campaign: string, due: Due): void {
  const before = wanted.get(rcpt) ?? { must: 0, may: 0, campaigns: [] }
  wanted.set(rcpt, before)
  before.may += 1
  if (due !== 'expected') return
  before.must += 1
  before.campaigns.push(campaign)
}

function weigh(farEnd: FarEnd, wanted: ReadonlyMap<string, Wanted>, notDeliverableByDesign: number, designOf: DesignOf): Verdict {
  let expected = 0,
    delivered = 0,
    lost = 0
  const lostSamples: Verdict['lostSamples'][number][] = []
  for (const [rcpt, { must, campaigns }] of wanted) {
    const there = (farEnd.get(rcpt) ?? []).filter(({ count }) => count > 0).length
    const missing = Math.max(0, must - there)
    expected += must
    delivered += must - missing
    lost += missing
    if (missing > 0 && lostSamples.length < SAMPLES) lostSamples.push({ rcpt, campaigns, design: designOf(rcpt).why })
  }
  const far = weighFarEnd(farEnd, wanted)
  return { ok: lost === 0 && far.doubled === 0 && far.unpublished === 0, expected, delivered, lost, notDeliverableByDesign, lostSamples, ...far }
}

function weighFarEnd(farEnd: FarEnd, wanted: ReadonlyMap<string, Wanted>) {
  let doubled = 0,
    doubledAfterSilence = 0,
    unpublished = 0
  const doubledSamples: Verdict['doubledSamples'][number][] = []
  const unpublishedSamples: Verdict['unpublishedSamples'][number][] = []
  for (const [rcpt, arrivals] of farEnd) {
    const extra = arrivals.length - (wanted.get(rcpt)?.may ?? 0)
    if (extra > 0) {
      unpublished += extra
      if (unpublishedSamples.length < SAMPLES) unpublishedSamples.push({ rcpt, messageIds: arrivals.map(({ messageId }) => messageId) })
    }
    for (const { messageId, count, unanswered } of arrivals) {
      if (count < 2) continue
      doubled += 1
      if (unanswered > 0) doubledAfterSilence += 1
      if (doubledSamples.length < SAMPLES) doubledSamples.push({ rcpt, messageId, count, unanswered })
    }
  }
  return { doubled, doubledAfterSilence, unpublished, doubledSamples, unpublishedSamples }
}
