import type { Config, ConfigTable } from '../runtime/config.ts'
import type { ActorContext } from '../runtime/lifecycle.ts'

export const IP_MANAGER_CONFIG = {
  saveEveryMs: {
    env: 'HATO_IP_SAVE_EVERY',
    unit: 'duration',
    default: 2_000,
    min: 100,
    max: 60_000,
    why: 'how often what changed is saved; a new owner counts the outcomes again from there',
  },
  pairsMost: {
    env: 'HATO_IP_PAIRS',
    unit: 'count',
    default: 20_000,
    min: 1_000,
    max: 200_000,
    why: '(IP × site) pairs remembered one by one, some 1 KB each; the idlest of the others count into `_tail`',
  },
} as const satisfies ConfigTable

export type IpManagerContext = ActorContext<Config<typeof IP_MANAGER_CONFIG>>
