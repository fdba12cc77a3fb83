import type { ConfigTable } from '../runtime/config.ts'

export const ROUTER_CONFIG = {
  maxAckPending: {
    env: 'HATO_ROUTER_MAX_ACK_PENDING',
    unit: 'count',
    default: 2_000,
    min: 100,
    max: 20_000,
    why: 'orders of one shard and lane that router and senders may hold together; 300 bytes each here',
  },
  askWithinMs: {
    env: 'HATO_ROUTER_ASK_WITHIN',
    unit: 'duration',
    default: 1_000,
    min: 100,
    max: 10_000,
    why: 'how long one router waits for another when it collects isp.status or passes isp.control on',
  },
} as const satisfies ConfigTable
