import { z } from 'zod'
import { Duration } from './duration.ts'

const DAY_MS = 86_400_000

/** 500 a day is what most providers' pages and senders' guides agree a new IP may do; half more each day reaches the full rate in 16 used days. */
export const DEFAULT_RAMP = { start: 500, factor: 1.5, full: 250_000 } as const

/** `[warmup]` of the fleet file (delivery.md §7). */
export const WarmupConfig = z.strictObject({
  start: z.number().int().min(1).max(1_000_000).default(DEFAULT_RAMP.start),
  factor: z.number().min(1.01).max(10).default(DEFAULT_RAMP.factor),
  full: z.number().int().min(1).default(DEFAULT_RAMP.full),
  /** without traffic for so long a steady pair warms up again */
  idle: Duration.default(30 * DAY_MS),
  /** mails that a From domain which a known provider has never seen may send there on its first day; 0 = From domains do not warm up */
  from_start: z.number().int().min(0).default(5_000),
  /** each day so many times the day before */
  from_factor: z.number().min(1.01).max(10).default(2),
})
export type WarmupConfig = z.infer<typeof WarmupConfig>
