import { IP_MANAGER_CONFIG } from '../../services/ip-manager/config.ts'
import { ROUTER_CONFIG } from '../../services/domain-router/config.ts'
import { SCHEDULER_CONFIG } from '../../services/scheduler/config.ts'
import { SENDER_CONFIG } from '../../services/sender/config.ts'
import { type ConfigTable, envFor } from '../../services/runtime/config.ts'
import { COMMON_CONFIG } from '../../services/runtime/lifecycle.ts'

/** In the order in which they start. */
export const ACTOR_ROLES = ['ip-manager', 'domain-router', 'scheduler', 'sender'] as const
export type ActorRole = (typeof ACTOR_ROLES)[number]

const TABLES: Readonly<Record<ActorRole, ConfigTable>> = {
  'ip-manager': IP_MANAGER_CONFIG,
  'domain-router': ROUTER_CONFIG,
  scheduler: SCHEDULER_CONFIG,
  sender: SENDER_CONFIG,
}

/** One per process: the supervisor decides, or they would collide. */
const PER_PROCESS: readonly string[] = [COMMON_CONFIG.nodeId.env, COMMON_CONFIG.healthPort.env]

/** Every variable that some actor under a supervisor reads. */
export const ACTOR_VARIABLES: readonly string[] = [COMMON_CONFIG, ...Object.values(TABLES)]
  .flatMap((table) => Object.values(table).map((row) => row.env))
  .filter((name) => !PER_PROCESS.includes(name))

/** What one actor gets of our environment: its own settings and all that is not Hato's. */
export function actorEnv(role: ActorRole, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const own = envFor({ ...COMMON_CONFIG, ...TABLES[role] }, env)
  return Object.fromEntries(Object.entries(own).filter(([name]) => !PER_PROCESS.includes(name)))
}
