import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §6',
  file: 'protocol/site.ts',
  is: '  if (inside) {',
  becomes: '  if (inside && domain === null) {',
  breaks: 'each customer is a site of its own with sessions of its own, and the box is run down by hundreds',
}
