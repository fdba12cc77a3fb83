import type { LeaseReport, SenderRest } from '../../protocol/messages/permission.ts'
import type { RetryPolicy } from '../../protocol/retry.ts'
import type { Blames } from './blames.ts'
import type { Journal } from './journal.ts'
import type { LeaseHolder } from './lease-holder.ts'
import { type Finding, outcomeOf } from './policy/attempt.ts'
import { tell, type Telling } from './state.ts'
import type { Turn } from './works.ts'

export interface AftermathTools {
  readonly blames: Blames
  readonly journal: Journal
  readonly telling: () => Omit<Telling, 'retryAfterMs'>
}

/** What a try came to is weighed against all that was heard before, told of its recipient and given to the journal. What it rests is returned. */
export function tellFinding(
  turn: Turn,
  found: Finding,
  holder: LeaseHolder,
  tools: AftermathTools,
): { readonly rest: LeaseReport['rest']; readonly senderRest: SenderRest | null } {
  const { order } = turn.work.held
  const recipient = turn.work.batch.recipients[turn.n]
  const of = { n: turn.n, ref: recipient?.ref ?? null, rcpt: recipient?.address ?? '', ip: holder.lease.ip, site: order.site }
  const telling = tools.telling()
  const finding = tools.blames.weigh(found, { site: of.site, rcpt: of.rcpt, now: telling.now })
  // It comes back when its domain's rest at the site ends.
  const restMs = finding.rests === 'sender' ? (finding.restMs ?? telling.policy.rows.sender.stepsMs[0] ?? 0) : null
  tools.journal.add(turn.work, tell(turn.work, outcomeOf(of, finding), { ...telling, retryAfterMs: restMs ?? finding.retryAfterMs }))
  holder.told(turn, finding)
  const rest = finding.stops ? restOf(finding, telling.policy) : null
  return { rest, senderRest: restMs !== null && order.from !== undefined ? { from: order.from, ms: restMs, because: finding.class } : null }
}

/** A source or a site that is not to be asked now, where the reply or its row names no time. */
const REST_MS = 60_000

/** The whole site's rest is the router's to measure: what was not tried comes back soon, and is parked there without a try. */
function restOf({ whole, restMs, class: because }: Finding, policy: RetryPolicy): NonNullable<LeaseReport['rest']> {
  return whole ? { ms: policy.rows.site.stepsMs[0] ?? 0, because, whole } : { ms: restMs ?? REST_MS, because }
}
