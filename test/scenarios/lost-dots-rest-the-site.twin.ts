import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §4',
  file: 'services/sender/policy/lost-dots.ts',
  is: 'const COUNT = 5',
  becomes: 'const COUNT = 1_000_000',
  breaks: 'a site that forgets every mail is believed to have taken them all',
}
