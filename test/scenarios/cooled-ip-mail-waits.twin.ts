import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/ip-manager/policy/pool.ts',
  is: 'return pool.stopped.length === 0 || pool.stopped.includes(ip) ? null : Math.max(LEAST_SHARE, pool.shares[ip] ?? 0)',
  becomes: 'return pool.stopped.length >= 0 || pool.stopped.includes(ip) ? null : Math.max(LEAST_SHARE, pool.shares[ip] ?? 0)',
  breaks: 'the other IP of the pool carries everything at once, so what made one address unloved goes out through the next',
}
