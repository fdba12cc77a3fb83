import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { OBJECT_BUCKET, tlsReportObject } from '../../protocol/buckets.ts'
import { encodeJson } from '../../protocol/codec.ts'
import type { Fleet } from '../../protocol/fleet.ts'
import { dayOf, reporterOf, tlsReports } from '../../protocol/tls-report.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import { openBucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { openObjects } from '../runtime/objects.ts'
import { countedOn } from '../runtime/tls-counts.ts'

const LOOK_EVERY_MS = 600_000
/** senders write what they counted every 30 s */
const AFTER_MIDNIGHT_MS = 300_000
const DAY_MS = 86_400_000

/** Makes of each day that is over one object with a report per policy domain (RFC 8460), once. Sending them is a person's matter. */
export function keepTlsReports(options: { bus: Bus; clock: Clock; log: Log; fleet: () => Fleet | null; crash: (error: unknown) => void }): AsyncDisposable {
  const { bus, clock, log, fleet, crash } = options
  let looking: Promise<void> = look()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, LOOK_EVERY_MS)

  async function look(): Promise<void> {
    const day = dayOf(clock.now() - AFTER_MIDNIGHT_MS - DAY_MS)
    try {
      const document = fleet()
      const objects = openObjects(bus, OBJECT_BUCKET)
      if (document === null || (await objects.head(tlsReportObject(day))) !== null) return
      const counts = await countedOn(day, openBucket(bus, 'policies'))
      const reports = tlsReports(counts, reporterOf(document))
      if (reports.reports.length === 0) return
      await objects.put(tlsReportObject(day), [await promisify(gzip)(encodeJson(reports))])
      log.info('tls-report', { day, domains: reports.reports.length, object: tlsReportObject(day) })
    } catch (error) {
      if (error instanceof Infrastructure) log.warn('tls-report waits', { day, error: error.message })
      else crash(error)
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
    },
  }
}
