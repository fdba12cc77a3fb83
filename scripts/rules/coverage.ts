/** What the reply rules know: each row's own sample, and the corpus, through the very table and judge that a sender uses. */
import { BUILT_IN_PROVIDERS, providerTable } from '../../protocol/providers/table.ts'
import { readReply } from '../../protocol/reply.ts'
import type { ReplyClass } from '../../protocol/words.ts'
import type { CorpusReply } from '../../services/sender/policy/replies/corpus/row.ts'
import { judge } from '../../services/sender/policy/replies/judge.ts'
import { normaliseReply } from '../../services/sender/policy/replies/normalise.ts'
import type { Rule } from '../../services/sender/policy/replies/rule.ts'
import { type RuleTable, ruleTable, whoCatches } from '../../protocol/replies/table.ts'
import type { Verdict } from '../../services/sender/policy/replies/verdict.ts'
import { suppressesWrongly } from './suppressing.ts'

/** A reply with what was expected (`class`, `blames`) and what the rules made of it. */
export interface Judged extends CorpusReply {
  readonly got: Pick<Verdict, 'class' | 'blames' | 'suppress' | 'row'>
}

export interface Coverage {
  readonly rows: number
  readonly samples: number
  /** providers that have rows of their own */
  readonly providers: number
  /** rows whose own sample another row takes */
  readonly shadowed: readonly { readonly id: string; readonly by: readonly (string | null)[] }[]
  readonly replies: number
  /** replies that are some row's sample, which would prove nothing */
  readonly copies: readonly string[]
  /** replies whose words, without addresses and ids, are no sample's either */
  readonly ownWords: number
  readonly rightClass: number
  readonly rightBlame: number
  readonly right: number
  /** expected class → class that came out → how many */
  readonly confusion: Readonly<Partial<Record<ReplyClass, Readonly<Partial<Record<ReplyClass, number>>>>>>
  readonly misses: readonly Judged[]
  readonly wronglySuppressed: readonly Judged[]
}

export function coverage(rules: readonly Rule[], corpus: readonly CorpusReply[]): Coverage {
  const table = ruleTable(rules)
  const samples = new Set(rules.map(({ seen }) => seen))
  const forms = new Set(rules.map(({ seen }) => formOf(seen)))
  const judged = corpus.map((said): Judged => ({ ...said, got: judgeOne(table, said) }))
  const rightClass = judged.filter((one) => one.class === one.got.class)
  const right = rightClass.filter((one) => one.blames === one.got.blames)
  return {
    rows: rules.length,
    samples: samples.size,
    providers: new Set(rules.flatMap((rule) => rule.providers ?? [])).size,
    shadowed: rules.flatMap((rule) => {
      const by = whoCatches(table, rule).filter((id) => id !== rule.id)
      return by.length > 0 ? [{ id: rule.id, by: [...new Set(by)] }] : []
    }),
    replies: corpus.length,
    copies: corpus.flatMap(({ reply }) => (samples.has(reply) ? [reply] : [])),
    ownWords: corpus.filter(({ reply }) => !forms.has(formOf(reply))).length,
    rightClass: rightClass.length,
    rightBlame: judged.filter((one) => one.blames === one.got.blames).length,
    right: right.length,
    confusion: confusionOf(judged),
    misses: judged.filter((one) => !right.includes(one)),
    wronglySuppressed: judged.filter((one) => suppressesWrongly(one, one.got)),
  }
}

/** Whether the rules may be used: accuracy is for people to read, these two are not. */
export function holds({ shadowed, wronglySuppressed }: Pick<Coverage, 'shadowed' | 'wronglySuppressed'>): boolean {
  return shadowed.length === 0 && wronglySuppressed.length === 0
}

const PROVIDERS = providerTable(BUILT_IN_PROVIDERS)

function judgeOne(table: RuleTable, { reply, stage, provider }: CorpusReply): Judged['got'] {
  const read = readReply(reply)
  if (read === null) throw new Error(`corpus: "${reply}" is not a reply`)
  const verdict = judge({ reply: read, stage, provider, unknown: PROVIDERS.row(provider).unknown }, table)
  return { class: verdict.class, blames: verdict.blames, suppress: verdict.suppress, row: verdict.row }
}

function confusionOf(judged: readonly Judged[]): Coverage['confusion'] {
  const counts: Partial<Record<ReplyClass, Partial<Record<ReplyClass, number>>>> = {}
  for (const { class: expected, got } of judged) {
    counts[expected] ??= {}
    const row = counts[expected]
    row[got.class] = (row[got.class] ?? 0) + 1
  }
  return counts
}

function formOf(line: string): string {
  return normaliseReply(line.replace('-', ' '))
}
