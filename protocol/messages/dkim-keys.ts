import type { EpochMs } from '../words.ts'

/** A key that DNS did not show when it last said something definite. */
export interface MissingKey {
  /** for a person */
  readonly because: string
  readonly since: EpochMs
  /** from then on a second such answer counts: the first one is valid no longer */
  readonly againFrom: EpochMs
  /** it said so twice: the key signs no more */
  readonly gone: boolean
}

/** What key `dkim-keys` of bucket `campaigns` says, by `keyId`; a key that is not named here signs. */
export interface DkimKeysRow {
  readonly v: 1
  readonly missing: MissingKeys
}
export type MissingKeys = Readonly<Record<string, MissingKey>>

export const goneOf = (missing: MissingKeys): ReadonlySet<string> => new Set(Object.keys(missing).filter((id) => missing[id]?.gone))
