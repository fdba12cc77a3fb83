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
} as const satisfies ConfigTable

export type SchedulerContext = ActorContext<Config<typeof SCHEDULER_CONFIG>>
