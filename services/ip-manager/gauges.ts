import type { Metrics } from '../runtime/metrics.ts'
import { IP_MODES, SOURCE_MODES } from '../../protocol/words.ts'
import type { Manager } from './state.ts'

export interface Counters {
  modeChanged(to: string): void
  counted(outcomes: number): void
  unreadable(): void
}

/** Gauges are read when somebody scrapes; `manager` is null where another process owns. */
export function ipManagerMetrics(metrics: Metrics, manager: () => Manager | null): Counters {
  const ips = metrics.gauge('source_ips', 'IPs of the fleet, by mode', ['mode'])
  const pairs = metrics.gauge('source_pairs', '(IP × site) pairs remembered, by mode', ['mode'])
  const changes = metrics.counter('source_mode_changes_total', 'changes of mode, by the mode they led to', ['to'])
  const outcomes = metrics.counter('source_outcomes_total', 'outcomes counted for a source')
  const unreadable = metrics.counter('source_unreadable_total', 'chunks of outcomes that could not be read')
  metrics.onScrape(() => {
    const known = manager()
    for (const mode of IP_MODES) ips.set({ mode }, 0)
    for (const mode of SOURCE_MODES) pairs.set({ mode }, 0)
    for (const ip of known?.ips.values() ?? []) {
      if (known?.fleet.ips.has(ip.address)) ips.inc({ mode: ip.state.mode })
      for (const { source } of ip.pairs.values()) pairs.inc({ mode: source.mode })
    }
  })
  return { modeChanged: (to) => changes.inc({ to }), counted: (count) => outcomes.inc(count), unreadable: () => unreadable.inc() }
}
