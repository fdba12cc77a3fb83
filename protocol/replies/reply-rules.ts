import { z } from 'zod'
import type { Problem } from '../campaign.ts'
import { Duration } from '../duration.ts'
import { readReply, whyNotLinear } from '../reply.ts'
import { BLAMES, type Blame, REPLY_CLASSES, type Stage, STAGES } from '../words.ts'

const Codes = z.union([z.number().int().min(400).max(599), z.array(z.number().int().min(400).max(599)).min(1)])

const Shape = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9./_-]{0,63}$/i, 'must be 1 to 64 of letters, digits and . / _ -'),
  /** rows of the provider table; absent = everywhere */
  providers: z.array(z.string()).min(1).optional(),
  stages: z.array(z.enum(STAGES)).min(1).optional(),
  /** the reply that taught it, as the peer sent it */
  seen: z.string().max(2_000),
  code: Codes.optional(),
  /** exact, or a prefix that ends with a dot */
  enhanced: z
    .string()
    .regex(/^[45]\.(\d{1,3}\.(\d{1,3})?)?$/, 'must be like 4.7.28, or a prefix like 4.7.')
    .optional(),
  /** regular expression, capitals ignored, without * and + */
  text: z.string().min(1).max(500).optional(),
  class: z.enum(REPLY_CLASSES),
  blames: z.enum(BLAMES),
  rest: Duration.optional(),
  threshold: z.strictObject({ count: z.number().int().min(2).max(1_000), per: Duration }).optional(),
  suppress: z.boolean().default(false),
  needs_person: z.boolean().default(false),
  outcome: z.enum(['deferred', 'bounced']).optional(),
})

/** `[[rule]]` of the fleet file: a row of reply knowledge of one's own, asked before the built-in ones. */
export const ReplyRule = Shape.superRefine((rule, ctx) => {
  const complain = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message })
  if (rule.code === undefined && rule.enhanced === undefined && rule.text === undefined) complain('text', 'give at least one of code, enhanced, text')
  const expression = rule.text === undefined ? null : readExpression(rule.text)
  if (typeof expression === 'string') return complain('text', expression)
  const sample = readReply(rule.seen)
  if (!sample || sample.code < 400) return complain('seen', `"${rule.seen}" is not a 4xx or 5xx reply`)
  const codes = rule.code === undefined ? null : [rule.code].flat()
  const caught =
    (codes?.includes(sample.code) ?? true) &&
    (rule.enhanced === undefined || (sample.enhanced ?? '').startsWith(rule.enhanced)) &&
    (expression === null || expression.test(sample.text.toLowerCase()))
  if (!caught) complain('seen', `the rule does not catch its own sample "${rule.seen}"`)
  for (const { path, message } of againstManners(rule)) complain(path, message)
})
export type ReplyRule = z.infer<typeof ReplyRule>

/** What no row may say, whoever wrote it (delivery.md §3): our own trouble is never an address's, and before the first RCPT nothing is. */
function againstManners(
  rule: Pick<z.infer<typeof Shape>, 'stages' | 'blames' | 'suppress' | 'outcome'>,
): { readonly path: string; readonly message: string }[] {
  const problems: { readonly path: string; readonly message: string }[] = []
  const { blames, stages = [], suppress, outcome } = rule
  if (suppress && !ABOUT_AN_ADDRESS.has(blames)) {
    problems.push({ path: 'suppress', message: `a reply that blames ${blames} says nothing of the address: only recipient and domain may suppress` })
  }
  if (outcome === 'bounced' && NEVER_FINAL.has(blames)) {
    problems.push({ path: 'outcome', message: `what blames ${blames} may be well tomorrow and is never bounced at once; leave outcome out` })
  }
  const early = stages.filter((stage) => BEFORE_RCPT.has(stage))
  if (early.length > 0 && OF_ONE_MAIL.has(blames)) {
    problems.push({ path: 'stages', message: `at ${early.join(', ')} no recipient has been named yet: blame host, site, source, sender, us or nobody there` })
  }
  if (early.length > 0 && outcome === 'bounced') {
    problems.push({ path: 'outcome', message: `a reply at ${early.join(', ')} is never a recipient's outcome: it defers` })
  }
  return problems
}

const ABOUT_AN_ADDRESS: ReadonlySet<Blame> = new Set(['recipient', 'domain'])
const NEVER_FINAL: ReadonlySet<Blame> = new Set(['source', 'site', 'host', 'sender', 'nobody'])
const OF_ONE_MAIL: ReadonlySet<Blame> = new Set(['recipient', 'domain', 'content'])
const BEFORE_RCPT: ReadonlySet<Stage> = new Set(['connect', 'greeting', 'ehlo', 'starttls', 'mail', 'idle'])

/** All rows of `[[rule]]` with every problem found; paths as in the fleet file (`rule[2].text`). */
export function readReplyRules(rows: readonly unknown[]): { readonly rules: readonly ReplyRule[]; readonly problems: readonly Problem[] } {
  const rules: ReplyRule[] = []
  const problems: Problem[] = []
  const ids = new Set<string>()
  for (const [at, row] of rows.entries()) {
    const read = ReplyRule.safeParse(row)
    if (!read.success) {
      problems.push(...read.error.issues.map((issue) => ({ path: [`rule[${at}]`, ...issue.path].join('.'), message: issue.message })))
      continue
    }
    if (ids.has(read.data.id)) problems.push({ path: `rule[${at}].id`, message: `"${read.data.id}" is defined twice` })
    ids.add(read.data.id)
    rules.push(read.data)
  }
  return { rules, problems }
}

/** The expression of a row, lowered (texts are lowered once before they are judged), or why it cannot be one. */
export function readExpression(source: string): RegExp | string {
  const slow = whyNotLinear(source)
  if (slow) return slow
  try {
    return /[A-Z]/.test(source) ? new RegExp(source, 'iu') : new RegExp(source, 'u')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
