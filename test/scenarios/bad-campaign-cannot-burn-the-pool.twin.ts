import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/ip-manager/policy/pool.ts',
  is: 'return Math.max(2, Math.ceil(poolSize / 3))',
  becomes: 'return Math.max(2, Math.ceil(poolSize / 3)) * 1_000',
  breaks: 'the campaign goes on to the third and fourth IP of the pool, which cool one after the other',
}
