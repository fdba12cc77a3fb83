import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/sender/policy/seen-as.ts',
  is: 'return named.find((address) => !same(address, peer)) ?? null',
  becomes: 'return named.find((address) => same(address, peer)) ?? null',
  breaks: 'mail leaves from an address that no SPF and no PTR knows, and nobody is told although every peer says so',
}
