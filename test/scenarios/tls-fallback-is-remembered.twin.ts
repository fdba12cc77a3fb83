import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §5',
  file: 'services/sender/session-door.ts',
  is: "return policy === 'opportunistic' && this.plaintext.has(host) ? 'off' : policy",
  becomes: 'return policy',
  breaks: 'each session to the host begins with a handshake that fails',
}
