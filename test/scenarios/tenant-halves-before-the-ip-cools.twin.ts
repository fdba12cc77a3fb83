import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/ip-manager/policy/tenant-shares.ts',
  is: 'const share = 2 ** -halvings',
  becomes: 'const share = 1 ** -halvings',
  breaks: 'the tenant that brought the blame sends as much as its neighbour, through the address that has just been blamed',
}
