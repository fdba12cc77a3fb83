import { z } from 'zod'
import { Duration } from './duration.ts'
import type { Fleet } from './fleet.ts'

const DAY_MS = 86_400_000

/** `[suppression]` of the fleet file: when a reply becomes an entry (delivery.md §8). Each number has its reason; labs make days into seconds. */
export const SuppressionConfig = z.strictObject({
  /** how long an unknown user is left alone before one more try */
  unknown_for: Duration.default(180 * DAY_MS),
  /** full, disabled, ambiguous, no domain: so many failures with no success between (M3AAWG) … */
  strikes: z.number().int().min(1).max(100).default(3),
  /** … and more than so long from the first to the last */
  over: Duration.default(15 * DAY_MS),
  /** an unknown user with few results around it is believed after so long; ten times sooner once the site took somebody else's mail */
  settle: Duration.default(30_000),
  /** a held verdict is confirmed by the same answer so much later; until then it holds */
  hold: Duration.default(DAY_MS),
  /** names that surely exist: NXDOMAIN is believed while one of them resolves. None = always believed */
  control: z.array(z.string()).optional(),
})
export type SuppressionConfig = z.infer<typeof SuppressionConfig>

export function suppressionConfig(fleet: Pick<Fleet, 'suppression'> | null | undefined): SuppressionConfig {
  return SuppressionConfig.parse(fleet?.suppression ?? {})
}

/** Mailbox providers that will not all vanish on one day; a fleet's own domains serve where the resolver knows only a private world. */
const ALWAYS_THERE = ['gmail.com', 'yahoo.co.jp', 'outlook.com']
const OWN_DOMAINS = 3

/** The names by which a resolver's NXDOMAIN is judged (delivery.md §8). */
export function controlNames(fleet: Pick<Fleet, 'suppression' | 'tenant'>): readonly string[] {
  return suppressionConfig(fleet).control ?? [...ALWAYS_THERE, ...fleet.tenant.flatMap(({ domains }) => domains).slice(0, OWN_DOMAINS)]
}
