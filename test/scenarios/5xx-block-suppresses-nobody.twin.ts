import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/policy/replies/verdict.ts',
  is: "return blames === 'recipient' || blames === 'domain' || blames === 'content'",
  becomes: "return blames !== 'nobody'",
  breaks: 'the recipient bounces at the first 550, which was about our address',
}
