import { KEYS } from '../../protocol/buckets.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { Bus } from './bus/types.ts'
import { openBucket } from './kv.ts'
import type { Log } from './log.ts'

/** The fleet document in force, kept by a watch. */
export interface FleetWatch extends Disposable {
  /** null until one was applied */
  current(): FleetRecord | null
  /** resolves with the first document */
  readonly ready: Promise<FleetRecord>
}

export function watchFleet(bus: Bus, log: Log, onChange: (record: FleetRecord) => void): FleetWatch {
  let current: FleetRecord | null = null
  const first = Promise.withResolvers<FleetRecord>()
  const watch = openBucket(bus, 'fleet').watch(KEYS.fleet, ({ value }) => {
    if (value === null) return
    current = JSON.parse(new TextDecoder().decode(value)) as FleetRecord
    log.info('fleet read', { revision: current.revision, ips: current.fleet.ip.length, tenants: current.fleet.tenant.length })
    onChange(current)
    first.resolve(current)
  })
  return { current: () => current, ready: first.promise, [Symbol.dispose]: () => watch.close() }
}
