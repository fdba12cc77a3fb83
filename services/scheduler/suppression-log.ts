import { decode, encode } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import type { SuppressionEntry, SuppressionReason } from '../../protocol/messages/ops.ts'
import type { EpochMs } from '../../protocol/words.ts'
import { untilOf } from './policy/holds.ts'

/** An entry as the log has it; the address normalised. */
export interface Told {
  readonly address: string
  readonly reason: SuppressionReason
  readonly list: string | null
  readonly since: EpochMs
  readonly until: EpochMs | null
  readonly reply: string | null
}

/** Who is taken off: of one list, or of all. */
export interface TakenOff {
  readonly address: string
  readonly list: string | null
}

/** One message of the log: what was added, then what was taken off; 500 of both at most. */
export interface LogMessage {
  readonly add: readonly Told[]
  readonly remove: readonly TakenOff[]
}

type Row = readonly [address: string, reason: SuppressionReason, list: string | null, since: EpochMs, until: EpochMs | null, reply: string | null]
interface Written {
  readonly v: 2
  readonly add?: readonly Row[]
  readonly remove?: readonly (readonly [address: string, list: string | null])[]
}

/** Rows without names: of ten million entries the names would be the larger part. */
export function encodeLog({ add, remove }: LogMessage): Uint8Array {
  const written: Written = {
    v: 2,
    ...(add.length > 0 && { add: add.map(({ address, reason, list, since, until, reply }) => [address, reason, list, since, until, reply] as const) }),
    ...(remove.length > 0 && { remove: remove.map(({ address, list }) => [address, list] as const) }),
  }
  return encode(written)
}

export function decodeLog(body: Uint8Array): LogMessage {
  const { add = [], remove = [] } = decode<Written>(body)
  return {
    add: add.map(([address, reason, list, since, until, reply]) => ({ address, reason, list, since, until, reply })),
    remove: remove.map(([address, list]) => ({ address, list })),
  }
}

/** `address`: normalised. */
export function toldOf(entry: SuppressionEntry, address: string, now: EpochMs): Told {
  const since = entry.since === undefined ? now : Date.parse(entry.since)
  const until = entry.until === undefined ? untilOf(entry.reason, Math.max(since, now)) : entry.until === null ? null : Date.parse(entry.until)
  return { address, reason: entry.reason, list: entry.list ?? null, since, until, reply: entry.reply ?? null }
}

/** As people and programs see it. */
export function entryOf({ address, reason, list, since, until, reply }: Told): SuppressionEntry {
  return {
    address,
    reason,
    ...(list !== null && { list }),
    since: rfc3339(since),
    until: until === null ? null : rfc3339(until),
    ...(reply !== null && { reply }),
  }
}
