import type { Config, ConfigTable } from '../runtime/config.ts'
import type { ActorContext } from '../runtime/lifecycle.ts'

export const SCHEDULER_CONFIG = {
  saveEveryMs: {
    env: 'HATO_SAVE_EVERY',
    unit: 'duration',
    default: 2_000,
    min: 100,
    max: 60_000,
    why: 'how often changed tallies are saved; a restart counts again from there',
  },
  expansionsAtOnce: {
    env: 'HATO_EXPANSIONS',
    unit: 'count',
    default: 4,
    min: 1,
    max: 64,
    why: 'lists read side by side; de-duplication holds 16 bytes an address of each',
  },
  keysEveryMs: {
    env: 'HATO_KEYS_EVERY',
    unit: 'duration',
    default: 3_600_000,
    min: 1_000,
    max: 86_400_000,
    why: 'how often DNS is asked for the DKIM keys of whom mail is being sent as',
  },
  keysAgainMs: {
    env: 'HATO_KEYS_AGAIN',
    unit: 'duration',
    default: 300_000,
    min: 1_000,
    max: 3_600_000,
    why: 'the least between two looks at a key that DNS does not show: only the second such answer counts',
  },
  stepBatches: {
    env: 'HATO_STEP_BATCHES',
    unit: 'count',
    default: 900,
    min: 1,
    max: 15_000,
    why: "batches that a step of a list's expansion may have, one atomic batch beside its cursor: 900 fit every server, 15,000 one with `max_msgs: 16000`, as the embedded is; with more sites than this a list's order tears their recipients apart",
  },
} as const satisfies ConfigTable

export type SchedulerContext = ActorContext<Config<typeof SCHEDULER_CONFIG>>
