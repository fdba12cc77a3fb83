import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/policy/replies/then.ts',
  is: "export const TOO_MANY_RCPTS: Then = { class: 'too-many-recipients', blames: 'nobody', outcome: 'deferred' }",
  becomes: "export const TOO_MANY_RCPTS: Then = { class: 'too-many-recipients', blames: 'recipient' }",
  breaks: 'the first digit decides: who came when the envelope was full bounces for good',
}
