import type { OutcomeWord, ReplyClass } from '../../../../protocol/words.ts'

/** Ten different recipients in a row with the same normalised reply and no success between are the site's matter whatever the row says,
 *  plain unknown users excepted (delivery.md §3, ten-alike-rest-the-site). */
const ALIKE = 10
/** Sites with a run of refusals at the same time; past it the oldest run is forgotten, which only delays its tenth. */
const MAX_SITES = 500

/** Per site the run that is going on. Sites that take mail are not in it. */
export type TenAlike = ReadonlyMap<string, Run>
interface Run {
  readonly normalised: string
  readonly rcpts: readonly string[]
}

export interface Ended {
  readonly site: string
  readonly rcpt: string
  /** `<code> <normaliseReply(text)>`; null when there was no reply. */
  readonly normalised: string | null
  readonly outcome: OutcomeWord
  readonly class: ReplyClass
}

/** Counts one outcome. `siteMatter` is true from the tenth on, until a success or another reply ends the run. */
export function tenAlike(state: TenAlike, ended: Ended): { readonly state: TenAlike; readonly siteMatter: boolean } {
  const run = state.get(ended.site)
  if (!isRefusal(ended)) return { state: run ? without(state, ended.site) : state, siteMatter: false }
  if (ended.normalised === null) return { state, siteMatter: false }
  if (run?.normalised !== ended.normalised) return { state: kept(state, ended.site, { normalised: ended.normalised, rcpts: [ended.rcpt] }), siteMatter: false }
  if (run.rcpts.length >= ALIKE) return { state, siteMatter: true }
  if (run.rcpts.includes(ended.rcpt)) return { state, siteMatter: false }
  const rcpts = [...run.rcpts, ended.rcpt]
  return { state: kept(state, ended.site, { normalised: run.normalised, rcpts }), siteMatter: rcpts.length >= ALIKE }
}

/** A plain unknown user proves that the site answers for each mailbox by itself, as a delivery does; so does a greylist, which says the same to everybody
 *  and means each one's first visit. */
function isRefusal({ outcome, class: replyClass }: Ended): boolean {
  return (outcome === 'deferred' || outcome === 'bounced') && replyClass !== 'unknown-user' && replyClass !== 'greylisted'
}

function without(state: TenAlike, site: string): TenAlike {
  const next = new Map(state)
  next.delete(site)
  return next
}

function kept(state: TenAlike, site: string, run: Run): TenAlike {
  const next = new Map(state)
  next.delete(site)
  if (next.size >= MAX_SITES) next.delete(next.keys().next().value ?? '')
  return next.set(site, run)
}
