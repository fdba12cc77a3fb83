/** Replies that no rule knows: they followed their stage's default, and deserve a row of the rules (delivery.md §3). */
import type { Outcome, OutcomeChunk } from '../../../protocol/outcome.ts'
import { STREAM } from '../../../protocol/streams.ts'
import { wildcard } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { normaliseReply } from '../../../services/sender/policy/replies/normalise.ts'
import { count, counted } from '../format.ts'
import { type Diagnosis, good, warning } from './diagnosis.ts'

/** The newest: yesterday's strange replies are in the rules by now, or come again. */
const LOOK_AT_MOST = 20_000
const SHOWN = 10

export interface Unmatched {
  readonly form: string
  readonly count: number
  readonly sites: readonly string[]
  readonly stage: string | null
}

export async function lookAtReplies(bus: Bus): Promise<Diagnosis[]> {
  const { lastSeq } = await bus.streamState(STREAM.outcomes)
  const forms = new Map<string, Unmatched>()
  let looked = 0
  for await (const { body } of bus.scan(STREAM.outcomes, wildcard('outcome'), { fromSeq: Math.max(1, lastSeq - LOOK_AT_MOST) })) {
    looked++
    const text = Buffer.from(body.buffer, body.byteOffset, body.length)
    if (!text.includes('"unmatched"')) continue // most chunks hold none, and parsing is what costs
    for (const outcome of (JSON.parse(text.toString('utf8')) as OutcomeChunk).outcomes) if (outcome.class === 'unmatched') note(forms, outcome)
  }
  return judgeReplies([...forms.values()], looked)
}

function note(forms: Map<string, Unmatched>, { code, enhanced, reply, site, stage }: Outcome): void {
  const form = [code, enhanced, normaliseReply(reply ?? '')].filter((part) => part !== null && part !== '').join(' ')
  const known = forms.get(form)
  forms.set(form, { form, stage: known?.stage ?? stage, count: (known?.count ?? 0) + 1, sites: [...new Set([...(known?.sites ?? []), site])] })
}

export function judgeReplies(unmatched: readonly Unmatched[], looked: number): Diagnosis[] {
  if (unmatched.length === 0) return [good(`every reply of the last ${counted(looked, 'outcome message')} is known to a rule`)]
  const sorted = [...unmatched].sort((a, b) => b.count - a.count)
  const total = sorted.reduce((sum, one) => sum + one.count, 0)
  const shown = sorted
    .slice(0, SHOWN)
    .map(
      ({ form, count: n, sites, stage }) =>
        `${count(n)} × ${stage ? `at ${stage}: ` : ''}${form}  (${sites.slice(0, 3).join(', ')}${sites.length > 3 ? ' …' : ''})`,
    )
  const more = sorted.length - shown.length
  return [
    warning(
      `${counted(total, 'reply', 'replies')} of ${counted(sorted.length, 'form')} match no rule and followed their stage's default; a [[rule]] in the fleet file teaches one`,
      [...shown, ...(more > 0 ? [`and ${counted(more, 'more form')}`] : [])],
    ),
  ]
}
