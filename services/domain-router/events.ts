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
  parked: 'info',
  sourceStopped: 'warn',
  actionTaken: 'info',
  actionOver: 'info',
} as const satisfies Record<RouterEvent['event'], 'debug' | 'info' | 'warn'>

/** One decision, one line: `granted shard=google lease=google-17-3 sender=… ip=… sessions=5 …`. */
export function logDecision(log: Log, shard: string, epoch: number, { event, ...fields }: RouterEvent): void {
  log[LEVELS[event]](kebab(event), { shard, epoch, ...fields })
}

function kebab(event: string): string {
  return event.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
