import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §2',
  file: 'services/scheduler/policy/allotments.ts',
  is: 'if (tenant?.daily_limit !== undefined) {',
  becomes: 'if (tenant?.daily_limit === 0) {',
  breaks: 'the tenant sends everything it has on one day, whatever was agreed for it',
}
