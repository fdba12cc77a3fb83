import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'RFC 8689 §4.2.1',
  file: 'services/sender/policy/tls/require.ts',
  is: 'if (!tls.vouched) return []',
  becomes: 'if (hop.port === 0) return []',
  breaks: 'mail goes to a host that only plain DNS names, though its certificate is fine and it offers REQUIRETLS',
}
