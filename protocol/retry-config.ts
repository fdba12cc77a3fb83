import { z } from 'zod'
import { Duration } from './duration.ts'
import { DEFAULT_RETRY, RETRY_REASONS, type RetryPolicy, type RetryReason, type RetryRow } from './retry.ts'

const Steps = z.array(Duration).min(1).max(20).refine(isRising, 'waits must not shrink')

/** `[retry.<reason>]`: either the waits one by one, or `first`, `factor`, `max`. */
const RetryRowConfig = z
  .strictObject({
    steps: Steps.optional(),
    first: Duration.optional(),
    factor: z.number().min(1).max(10).optional(),
    max: Duration.optional(),
  })
  .refine((row) => !row.steps || (row.first ?? row.factor ?? row.max) === undefined, 'give either steps, or first/factor/max')

/** `[retry]` of the fleet file.
 *  A plain `first = "2s"` lets no first wait be longer than that and shrinks the waits after it in proportion (for demos and labs). */
export const RetryConfig = z.strictObject({
  first: Duration.optional(),
  jitter: z.number().min(0).max(0.5).optional(),
  tries: z.number().int().min(1).max(1_000).optional(),
  refusals: z.number().int().min(1).max(20).optional(),
  ...(Object.fromEntries(RETRY_REASONS.map((reason) => [reason, RetryRowConfig.optional()])) as Record<RetryReason, z.ZodOptional<typeof RetryRowConfig>>),
})
export type RetryConfig = z.infer<typeof RetryConfig>

/** The table as `[retry]` changes it. */
export function retryPolicy(config: RetryConfig): RetryPolicy {
  const rows = Object.fromEntries(
    RETRY_REASONS.map((reason) => {
      const row = DEFAULT_RETRY.rows[reason]
      const own = config[reason]
      return [reason, { ...row, stepsMs: own ? stepsOf(own, row.stepsMs) : shrunk(row.stepsMs, config.first) }]
    }),
  ) as Record<RetryReason, RetryRow>
  return {
    ...DEFAULT_RETRY,
    rows,
    jitter: config.jitter ?? DEFAULT_RETRY.jitter,
    maxCharged: config.tries ?? DEFAULT_RETRY.maxCharged,
    maxRefusals: config.refusals ?? DEFAULT_RETRY.maxRefusals,
  }
}

function stepsOf(own: z.infer<typeof RetryRowConfig>, usual: readonly number[]): readonly number[] {
  if (own.steps) return own.steps
  const first = own.first ?? usual[0] ?? 0
  const factor = own.factor ?? 2
  const max = Math.max(first, own.max ?? usual.at(-1) ?? first)
  const steps = [first]
  // Twenty doublings pass every life a mail can have (7 d).
  while (steps.length < 20 && (steps.at(-1) ?? max) < max) steps.push(Math.min(max, (steps.at(-1) ?? max) * factor))
  return steps
}

function shrunk(steps: readonly number[], first: number | undefined): readonly number[] {
  const usual = steps[0] ?? 0
  if (first === undefined || usual <= first) return steps
  return steps.map((step) => Math.round((step * first) / usual))
}

function isRising(steps: readonly number[]): boolean {
  return steps.every((step, at) => at === 0 || step >= (steps[at - 1] ?? 0))
}
