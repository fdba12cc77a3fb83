/**
 * What may be thrown (style 9). Outcomes are data and never come here.
 *   BadConfig         a person must change something; exit 78 before connecting
 *   InvariantBroken   a bug; the process logs it and dies, its supervisor starts it anew
 *   Infrastructure    the network or the server: repeat at the pace of its code, or let go
 */
export class BadConfig extends Error {
  override readonly name = 'BadConfig'
}

export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken'
  readonly invariant: string
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
  }
}

/** Code → how long to wait before the next try, milliseconds. */
export const RETRY_PACE_MS = {
  cut: 100, // the connection broke with the request under way: whether it was heard is unknown
  timeout: 250, // no answer in time: unknown too
  'no-leader': 250, // the server has no leader for the stream yet (503): nothing was stored
  closed: 0, // our own connection was closed: nothing more comes
  denied: 5_000, // the server's permissions forbid it: a person must mend them
  unavailable: 500, // JetStream refuses for reasons of its own (disk, limits, cluster): nothing was stored
} as const
export type InfrastructureCode = keyof typeof RETRY_PACE_MS

export class Infrastructure extends Error {
  override readonly name = 'Infrastructure'
  readonly code: InfrastructureCode
  constructor(code: InfrastructureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
  /** Is it certain that nothing was stored? */
  get nothingHappened(): boolean {
    return this.code === 'no-leader' || this.code === 'unavailable' || this.code === 'denied'
  }
}

/** err_code values of nats-server that Hato acts on (server/errors.json). */
export const SERVER = {
  wrongLastSequence: 10071,
  wrongLastSequenceBatch: 10164,
  batchIncomplete: 10176,
  batchTooManyOpen: 10210,
  noMessageFound: 10037,
  sequenceNotFound: 10043,
  deleteFailed: 10057,
  storageExceeded: 10047,
  accountExceeded: 10002,
  insufficient: 10023,
  storeFailed: 10077,
  consumerNotFound: 10014,
  consumerNotMade: 10012,
  streamNotFound: 10059,
  streamNameInUse: 10058,
} as const

/** Did a compare-and-set find another last sequence than expected? */
export function isStale(refused: { readonly code: number }): boolean {
  return refused.code === SERVER.wrongLastSequence || refused.code === SERVER.wrongLastSequenceBatch
}

const FULL: ReadonlySet<number> = new Set([SERVER.storageExceeded, SERVER.accountExceeded, SERVER.insufficient, SERVER.storeFailed])

/** Did the server lack room? Nothing was stored, and it passes when somebody makes room. */
export function isFull(refused: { readonly code: number }): boolean {
  return FULL.has(refused.code)
}

/** Was an atomic batch refused for a reason that passes by itself? Nothing was stored. */
export function isBusy(refused: { readonly code: number }): boolean {
  return refused.code === SERVER.batchTooManyOpen || refused.code === SERVER.batchIncomplete
}
