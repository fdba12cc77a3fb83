import type { Terms } from '../messages/permission.ts'
import type { ProviderRow } from './row.ts'

/** What a lease tells the sender of its site's row. */
export function termsOf(row: ProviderRow): Terms {
  return {
    sessionsPerAddress: row.sessionsPerAddress,
    mailsPerSession: row.mailsPerSession,
    rcptsPerSession: row.rcptsPerSession,
    rcptsPerTransaction: row.rcptsPerTransaction,
    refusedPerSession: row.refusedPerSession,
    connectsPerMinute: row.connectsPerMinute,
    maxSizeBytes: row.maxSizeBytes,
    tls: row.tls,
    ahead: row.ahead,
    idleMs: row.idleMs,
    protocol: row.protocol,
    unknown: row.unknown,
    ...(row.host === null ? {} : { host: row.host }),
    ...(row.port === null ? {} : { port: row.port }),
  }
}
