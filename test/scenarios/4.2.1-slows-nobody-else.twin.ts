import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/policy/replies/then.ts',
  is: "export const CROWDED: Then = { class: 'recipient-rate', blames: 'recipient', outcome: 'deferred' }",
  becomes: "export const CROWDED: Then = { class: 'rate', blames: 'source', outcome: 'deferred' }",
  breaks: "one popular mailbox's rate is taken for ours: the IP rests at Gmail and everybody waits",
}
