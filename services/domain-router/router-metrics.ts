import type { Metrics } from '../runtime/metrics.ts'
import type { RouterEvent } from './policy/messages.ts'
import { figuresOf } from './policy/figures.ts'
import type { Shard } from './state.ts'

export interface RouterCounters {
  count(event: RouterEvent): void
}

/** Gauges are read when somebody scrapes; `shards` are those owned then. */
export function routerMetrics(metrics: Metrics, shards: () => Iterable<Shard>, mono: () => number): RouterCounters {
  const orders = metrics.gauge('router_orders', 'orders waiting here for a sender', ['shard', 'lane'])
  const leases = metrics.gauge('router_leases', 'leases held by senders', ['shard'])
  const sessions = metrics.gauge('router_sessions', 'sessions lent, as they must be counted', ['shard'])
  const decisions = metrics.counter('router_decisions_total', 'decisions by kind and reason', ['event', 'because'])
  metrics.onScrape(() => {
    for (const gauge of [orders, leases, sessions]) gauge.reset()
    for (const shard of shards()) {
      const figures = figuresOf(shard, mono())
      // An idle shard has no series: sixty of them would say nothing sixty times.
      if (figures.urgent + figures.bulk + figures.leases === 0) continue
      orders.set({ shard: shard.name, lane: 'urgent' }, figures.urgent)
      orders.set({ shard: shard.name, lane: 'bulk' }, figures.bulk)
      leases.set({ shard: shard.name }, figures.leases)
      sessions.set({ shard: shard.name }, figures.sessions)
    }
  })
  return { count: (event) => decisions.inc({ event: event.event, because: 'because' in event ? event.because : '' }) }
}
