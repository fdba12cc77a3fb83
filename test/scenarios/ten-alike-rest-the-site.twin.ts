import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/policy/replies/ten-alike.ts',
  is: 'const ALIKE = 10',
  becomes: 'const ALIKE = 1_000_000',
  breaks: 'a broken directory bounces the whole list, one valid mailbox after the other',
}
