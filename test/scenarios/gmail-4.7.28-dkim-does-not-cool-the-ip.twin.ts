import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/policy/replies/rules/google.ts',
  is: "const SENDER_RATE = { class: 'reputation', blames: 'sender', restMs: HOUR_MS } as const",
  becomes: "const SENDER_RATE = { class: 'reputation', blames: 'source', restMs: HOUR_MS } as const",
  breaks: "the IP that carried the blamed domain cools for an hour, and the other domain's mail waits with it",
}
