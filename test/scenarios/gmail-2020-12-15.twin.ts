import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §8',
  file: 'services/scheduler/policy/brake.ts',
  is: "if (this.pulledAt !== null) return 'hold'",
  becomes: "if (this.pulledAt !== null) return 'write'",
  breaks: 'every valid user who was answered 5.1.1 stands on the suppression list, some 200 of them',
}
