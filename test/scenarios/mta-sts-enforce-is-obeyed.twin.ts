import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §5',
  file: 'services/sender/policy/tls/host-tls.ts',
  is: "return { kind: 'go', need: { kind: 'pkix' }, vouched: true, shown, amiss: null }",
  becomes: "return { kind: 'go', need: null, vouched: true, shown, amiss: null }",
  breaks: 'mail of domains under an enforce policy goes to the host whose certificate names another',
}
