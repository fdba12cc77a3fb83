import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §3',
  file: 'services/sender/blames.ts',
  is: "if (finding.rests === 'domain') this.domains.blamed(",
  becomes: 'if (finding.rests === null) this.domains.blamed(',
  breaks: 'every recipient of the tenant is asked and refused, again at each retry',
}
