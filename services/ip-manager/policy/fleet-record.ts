import { formatDuration, rfc3339 } from '../../../protocol/duration.ts'
import type { Fleet, FleetRecord } from '../../../protocol/fleet.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import { ISP_DURATIONS } from './fleet-check.ts'

/** The record that follows when `fleet` is applied: the standing one when it says the same, so that applying twice changes nothing. */
export function nextRecord(standing: FleetRecord | null, fleet: Fleet, now: EpochMs, newSecret: () => string): FleetRecord {
  if (standing !== null && sameText(standing.fleet, fleet)) return standing
  return { revision: (standing?.revision ?? 0) + 1, appliedAt: rfc3339(now), fleet, secret: standing?.secret ?? newSecret() }
}

/** What `fleet.get` answers: the document without what only actors may know. It shows that a key is there, never which. */
export function maskedRecord({ revision, appliedAt, fleet }: FleetRecord): unknown {
  return {
    revision,
    appliedAt,
    fleet: {
      ...fleet,
      ip: fleet.ip.map((ip) => ({ ...ip, egress: withoutPassword(ip.egress) })),
      dkim: fleet.dkim.map((row) => ({ ...row, key: '***' })),
      isp: fleet.isp.map((row) => ({
        ...row,
        ...Object.fromEntries(ISP_DURATIONS.flatMap((field) => (row[field] === undefined ? [] : [[field, formatDuration(row[field])]]))),
      })),
    },
  }
}

function withoutPassword(egress: string): string {
  return egress.replace(/^(\w+:\/\/[^:@/]*):.*@/, '$1:***@')
}

/** Order of keys says nothing. */
function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}
