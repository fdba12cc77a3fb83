import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/scheduler/policy/breakers.ts',
  is: 'if (of < BREAKER.least || ones <= of * max) return null',
  becomes: 'if (of < BREAKER.least || ones >= 0) return null',
  breaks: 'the campaign runs to its end at google and docomo, unknown users and all, and nobody is asked',
}
