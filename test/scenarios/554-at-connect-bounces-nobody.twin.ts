import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/session-door.ts',
  is: "outcome: 'deferred' } // before the first RCPT",
  becomes: "outcome: (reply?.code ?? 0) >= 500 ? 'bounced' : 'deferred' } // before the first RCPT",
  breaks: 'the recipients whose turn it was at the closed door bounce, although nobody asked about their mailboxes',
}
