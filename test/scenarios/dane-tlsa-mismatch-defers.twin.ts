import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §5',
  file: 'services/sender/policy/tls/need.ts',
  is: "return matchDane(peer.chain, need.records, peer.host, now) ? null : 'validation-failure'",
  becomes: 'return null',
  breaks: 'mail goes to the host whose key no TLSA record names',
}
