import type { Outcome, Reply } from '../../../protocol/outcome.ts'
import type { EpochMs, Stage } from '../../../protocol/words.ts'
import type { Finding } from './attempt.ts'
import type { Verdict } from './replies/verdict.ts'

/** What is judged: a reply or a fault, where it came, from which source at whose site. */
export interface Heard {
  readonly reply: Reply | null
  readonly fault: { readonly code: string; readonly message: string } | null
  readonly stage: Stage
  readonly provider: string | null
  readonly unknown: 'plain' | 'ambiguous'
  /** IP and site it was heard under: thresholds count by these */
  readonly source: string
}

/** A verdict with its threshold weighed: `stops` = the lease it was heard under rests; `rests` = mail of our From domain, or to the recipient's, does. */
export interface Judgement extends Verdict {
  readonly stops: boolean
  readonly rests: 'sender' | 'domain' | null
}

export type Judge = (heard: Heard) => Judgement

/** Rows and sources whose replies are being counted; the oldest go first. */
const COUNTED = 10_000

/** Verdict → judgement: a row that means it only after "N in a period" stops nothing before (delivery.md §3). Remembers when; time is handed in. */
export class Weighing {
  readonly #seen = new Map<string, EpochMs[]>()

  weigh(verdict: Verdict, source: string, now: EpochMs): Judgement {
    const met = this.#met(verdict, source, now)
    const { blames } = verdict
    const counts = verdict.outcome === 'deferred' && met
    const stops = counts && (blames === 'source' || blames === 'site')
    // DNS trouble of a domain has a row of the retry table of its own.
    const rests = counts && (blames === 'sender' || (blames === 'domain' && verdict.class !== 'dns')) ? blames : null
    return { ...verdict, restMs: met ? verdict.restMs : null, stops, rests }
  }

  #met({ threshold, row }: Verdict, source: string, now: EpochMs): boolean {
    if (threshold === null || row === null) return true
    const key = `${row} ${source}`
    const times = [...(this.#seen.get(key) ?? []).filter((at) => at > now - threshold.perMs), now]
    this.#seen.delete(key)
    if (times.length >= threshold.count) return true
    this.#seen.set(key, times)
    if (this.#seen.size > COUNTED) {
      const oldest = this.#seen.keys().next()
      if (!oldest.done) this.#seen.delete(oldest.value)
    }
    return false
  }
}

/** A judgement as what became of one recipient. */
export function findingFrom(heard: Heard, judgement: Judgement, mx: string, ms: number | null): Finding {
  const { reply, fault, stage } = heard
  const { outcome, class: replyClass, blames, restMs, retryAfterMs, stops, rests } = judgement
  return {
    outcome,
    stage,
    reply,
    because: fault ? `${fault.code} ${fault.message}` : null,
    class: replyClass,
    blames,
    restMs,
    retryAfterMs,
    stops,
    rests,
    rule: ruleOf(judgement),
    mx,
    ms,
    ...(judgement.suppress && { suppress: true }),
  }
}

function ruleOf({ blames, row, restMs, threshold, needsPerson }: Judgement): Outcome['rule'] | null {
  if (blames !== 'source' || row === null) return null
  return { id: row, ...(restMs !== null && { restMs }), ...(threshold !== null && { threshold: { ...threshold } }), ...(needsPerson && { needsPerson }) }
}
