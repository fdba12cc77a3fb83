import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §8',
  file: 'services/runtime/dns/resolver.ts',
  is: "if (answer.rcode !== 'NXDOMAIN' || (await control.isSane())) return answer",
  becomes: 'if (names.length >= 0) return answer',
  breaks: 'all 41 recipients bounce as of no such domain, and strikes are counted against them',
}
