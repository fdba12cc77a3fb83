import type { Log } from '../runtime/log.ts'
import type { RouterEvent } from './policy/messages.ts'

/** How loud a decision is: what a person should look at is a warning, what happens with every order is for debugging. */
const LEVELS = {
  granted: 'info',
  grantRefused: 'info',
  grantUnanswered: 'warn',
  ended: 'info',
  adopted: 'info',
  adoptionDone: 'info',
  rested: 'warn',
  senderRested: 'warn',
  parked: 'info',
  sourceStopped: 'warn',
  actionTaken: 'info',
  actionOver: 'info',
} as const satisfies Record<RouterEvent['event'], 'debug' | 'info' | 'warn'>

/** One decision, one line: `granted shard=google lease=google-17-3 sender=… ip=… sessions=5 …`. */
export function logDecision(log: Log, shard: string, epoch: number, { event, ...fields }: RouterEvent): void {
  const level = isNothing({ event, ...fields } as RouterEvent) ? 'debug' : LEVELS[event]
  log[level](kebab(event), { shard, epoch, ...fields })
}

/** At a start a hundred shards are taken over from nobody. */
function isNothing(decision: RouterEvent): boolean {
  return decision.event === 'adoptionDone' && decision.leases === 0
}

function kebab(event: string): string {
  return event.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
