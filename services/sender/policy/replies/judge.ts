import type { Reply } from '../../../../protocol/outcome.ts'
import { isCharged } from '../../../../protocol/retry.ts'
import type { Stage } from '../../../../protocol/words.ts'
import { compileRules } from '../../../../protocol/replies/compile.ts'
import { type Fault, faultMeans } from './fault.ts'
import { BUILT_IN_RULES } from './rules/index.ts'
import type { Rule, Then } from './rule.ts'
import { type RuleTable, findRule, ruleTable } from '../../../../protocol/replies/table.ts'
import { type Verdict, stageDefault, verdictOf } from './verdict.ts'

export interface Heard {
  /** Null when there was none, but a fault. */
  readonly reply: Reply | null
  readonly fault?: Fault | null | undefined
  /** Where it was heard. A 421 or a close behind a success and before the next RCPT is heard at `idle`, whatever was just sent. */
  readonly stage: Stage
  /** Row of the provider table the site belongs to; null for the tail. */
  readonly provider: string | null
  /** The provider row's word on what "unknown user" is worth (docomo, au: ambiguous). */
  readonly unknown: 'plain' | 'ambiguous'
}

export const BUILT_IN_TABLE: RuleTable = ruleTable(BUILT_IN_RULES)

/** A judge that knows the fleet's `[[rule]]` rows as well, which are asked first. Rows with problems are left out: `fleet.apply` has
 *  refused them, so what rests in the bucket has none. */
export function createJudge(fleetRules: readonly unknown[]): (heard: Heard) => Verdict {
  if (fleetRules.length === 0) return (heard) => judge(heard)
  const table = ruleTable([...compileRules(fleetRules).rules, ...BUILT_IN_RULES])
  return (heard) => judge(heard, table)
}

/** What a reply or fault means for one recipient: the stage gives the default, a row's text overrides it (delivery.md §3). */
export function judge(heard: Heard, table: RuleTable = BUILT_IN_TABLE): Verdict {
  const { reply, stage } = heard
  if (!reply) return faultVerdict(faultMeans(heard.fault ?? { code: 'ECONNRESET', message: 'no reply' }, stage))
  if (reply.code < 400) return unrefused(reply, stage)

  const rule = findRule(table, reply, stage, heard.provider)
  if (!rule) return verdictOf(stageDefault(stage, reply.code >= 500), reply, stage, null)
  return verdictOf(heard.unknown === 'ambiguous' ? doubted(rule.then) : rule.then, reply, stage, rule.id)
}

/** The row that catches a reply, or null. */
export function whichRule(heard: Heard, table: RuleTable = BUILT_IN_TABLE): Rule | null {
  return heard.reply ? findRule(table, heard.reply, heard.stage, heard.provider) : null
}

function doubted(then: Then): Then {
  return then.class === 'unknown-user' ? { ...then, class: 'ambiguous-user' } : then
}

/** A 2xx to the dot is the delivery; anywhere else it came out of turn (355 to MAIL), and the session is not to be trusted. */
function unrefused(reply: Reply, stage: Stage): Verdict {
  if (reply.code >= 200 && reply.code < 300 && stage === 'dot') {
    return { ...NOTHING, outcome: 'delivered', class: 'delivered', blames: 'nobody' }
  }
  return { ...NOTHING, outcome: 'deferred', class: 'protocol', blames: 'host', charged: isCharged('protocol', 'host') }
}

function faultVerdict(then: Then): Verdict {
  return {
    ...NOTHING,
    outcome: then.outcome ?? 'deferred',
    class: then.class,
    blames: then.blames,
    suppress: then.suppress === true,
    charged: then.outcome !== 'bounced' && isCharged(then.class, then.blames),
  }
}

const NOTHING = { suppress: false, restMs: null, threshold: null, retryAfterMs: null, charged: false, permanent: false, row: null, needsPerson: false } as const
