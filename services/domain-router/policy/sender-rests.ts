import { rfc3339 } from '../../../protocol/duration.ts'
import type { LeaseReport, ReportAnswer } from '../../../protocol/messages/permission.ts'
import { REPLY_CLASSES, type EpochMs, type ReplyClass } from '../../../protocol/words.ts'
import type { Site } from '../state.ts'
import type { Wait } from './gates.ts'
import type { Say } from './messages.ts'

/** From domains at a site that are remembered; the one whose rest ends first goes, and costs one more refused mail. */
const REMEMBERED = 1_000

/** What a reply that blamed the sender does (delivery.md §3): that domain's campaigns rest at that site, no source changes its mode. */
export function learnSenderRests(site: Site, told: LeaseReport, now: EpochMs): Say[] {
  const says: Say[] = []
  for (const { from, ms, because } of told.senderRests ?? []) {
    const until = now + ms
    if ((site.senderRests.get(from)?.until ?? 0) >= until) continue
    const isNew = !senderRests(site, from, now)
    site.senderRests.set(from, { because, until })
    // A whole lease is told the same within a moment: one line is enough.
    if (isNew) says.push({ say: 'event', event: { event: 'senderRested', site: site.site, from, because, until: rfc3339(until), reply: told.lastReply } })
  }
  if (site.senderRests.size > REMEMBERED) {
    const [first] = [...site.senderRests].reduce((soonest, one) => (one[1].until < soonest[1].until ? one : soonest))
    site.senderRests.delete(first)
  }
  return says
}

export function senderRests(site: Site, from: string | null, now: EpochMs): Wait | null {
  const rest = from === null ? undefined : site.senderRests.get(from)
  if (rest === undefined) return null
  if (rest.until > now) return { kind: 'wait', ...rest }
  site.senderRests.delete(from as string)
  return null
}

/** Every From domain that rests there now. */
export function restingSenders(site: Site, now: EpochMs): readonly { readonly from: string; readonly because: string; readonly until: EpochMs }[] {
  return [...site.senderRests].flatMap(([from, rest]) => (rest.until > now ? [{ from, ...rest }] : []))
}

/** For the answer to a report: senders that were not told so by a reply let go of that mail too. */
export function answerRests(sites: Iterable<Site>, now: EpochMs): NonNullable<ReportAnswer['senderRests']> {
  return [...sites].flatMap((site) =>
    restingSenders(site, now).map(({ from, because, until }) => ({ site: site.site, from, ms: until - now, because: classOf(because) })),
  )
}

function classOf(because: string): ReplyClass {
  return (REPLY_CLASSES as readonly string[]).includes(because) ? (because as ReplyClass) : 'resting'
}
