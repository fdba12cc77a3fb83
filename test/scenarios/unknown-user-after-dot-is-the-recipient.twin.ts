import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/policy/replies/judge.ts',
  is: 'if (!rule) return verdictOf(',
  becomes: "if (!rule || (stage === 'dot' && rule.then.blames === 'recipient')) return verdictOf(",
  breaks: 'the 554 to the dot is read by its stage: the content is blamed for a mailbox that does not exist, and the address is never learnt',
}
