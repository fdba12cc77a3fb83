import type { Reply } from '../outcome.ts'
import { readReply } from '../reply.ts'
import { STAGES, type Stage } from '../words.ts'
import type { Rule } from './rule.ts'

/** Rules sorted so that a reply meets only those that can apply: by provider, first digit and stage. The order of the list is kept. */
export interface RuleTable {
  readonly everywhere: Shelf
  readonly byProvider: ReadonlyMap<string, Shelf>
}
/** Index: (first digit − 4) × stages + stage. */
type Shelf = readonly (readonly Compiled[])[]

interface Compiled {
  readonly rule: Rule
  readonly codes: readonly number[] | null
  /** Exact, or a prefix ending with a dot. */
  readonly enhanced: string | null
  readonly text: RegExp | null
}

/** A reply's text is judged by its first kilobyte: the sentence stands first, what follows are links and traces. */
const MAX_TEXT = 1_000

/** Throws on a sample that is no reply: built-in rows are tested, the fleet's are checked before (`compileRules`). */
export function ruleTable(rules: readonly Rule[]): RuleTable {
  const compiled = rules.map((rule) => ({ rule, ...compile(rule) }))
  const providers = new Set(rules.flatMap((rule) => rule.providers ?? []))
  return {
    everywhere: shelf(compiled.filter(({ rule }) => !rule.providers)),
    byProvider: new Map(
      [...providers].map((provider) => [provider, shelf(compiled.filter(({ rule }) => !rule.providers || rule.providers.includes(provider)))]),
    ),
  }
}

/** The first rule that catches a 4xx or 5xx reply, or null. */
export function findRule(table: RuleTable, reply: Reply, stage: Stage, provider: string | null): Rule | null {
  const shelves = (provider !== null && table.byProvider.get(provider)) || table.everywhere
  const digit = reply.code >= 500 ? 1 : 0
  const candidates = shelves[digit * STAGES.length + STAGES.indexOf(stage)] ?? []
  const text = reply.text.length > MAX_TEXT ? reply.text.slice(0, MAX_TEXT).toLowerCase() : reply.text.toLowerCase()
  for (const one of candidates) {
    if (one.codes !== null && !one.codes.includes(reply.code)) continue
    if (one.enhanced !== null && !hasStatus(reply.enhanced, one.enhanced)) continue
    if (one.text === null || one.text.test(text)) return one.rule
  }
  return null
}

function hasStatus(enhanced: string | null, wanted: string): boolean {
  return enhanced !== null && (wanted.endsWith('.') ? enhanced.startsWith(wanted) : enhanced === wanted)
}

function shelf(compiled: readonly (Compiled & { digit: 4 | 5 })[]): Shelf {
  return [4, 5].flatMap((digit) => STAGES.map((stage) => compiled.filter((one) => one.digit === digit && isHeardAt(one.rule, stage))))
}

/** What blames a recipient, its domain or the content makes no sense before the first RCPT, whatever words are used (delivery.md §3). */
function isHeardAt(rule: Rule, stage: Stage): boolean {
  if (rule.stages) return rule.stages.includes(stage)
  const { blames } = rule.then
  return (blames !== 'recipient' && blames !== 'content' && blames !== 'domain') || stage === 'rcpt' || stage === 'data' || stage === 'dot'
}

function compile({ id, seen, when }: Rule): Omit<Compiled, 'rule'> & { digit: 4 | 5 } {
  const sample = readReply(seen)
  if (!sample || sample.code < 400) throw new Error(`rule ${id}: its sample "${seen}" is not a 4xx or 5xx reply`)
  const digit = sample.code >= 500 ? 5 : 4
  if (when instanceof RegExp) return { digit, codes: null, enhanced: null, text: lowered(when) }
  const codes = when.code === undefined ? null : typeof when.code === 'number' ? [when.code] : when.code
  return { digit, codes, enhanced: when.enhanced ?? null, text: when.text ? lowered(when.text) : null }
}

/** The text is lowered once per reply, so an expression without capitals needs no `i`, and V8 searches its literals much faster. */
function lowered(when: RegExp): RegExp {
  return /[A-Z]/.test(when.source) ? when : new RegExp(when.source, when.flags.replaceAll(/[igy]/g, ''))
}

/** Ids of the rules that catch a rule's own sample, one per provider it is for; all of them must be itself. */
export function whoCatches(table: RuleTable, rule: Rule): readonly (string | null)[] {
  const sample = readReply(rule.seen)
  if (!sample) return [null]
  const stages = rule.stages ?? (['rcpt', 'dot'] as const)
  return (rule.providers ?? [null]).flatMap((provider) => stages.map((stage) => findRule(table, sample, stage, provider)?.id ?? null))
}
