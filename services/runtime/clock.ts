import type { EpochMs, MonoMs } from '../../protocol/words.ts'

/** Time as a value that is handed in, so that decisions can be tried on any clock. */
export interface Clock {
  /** wall clock: for people, schedules and deadlines */
  now(): EpochMs
  /** monotonic clock of this process: for every duration that something depends on (leases, liveness) */
  mono(): MonoMs
}

export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
}
