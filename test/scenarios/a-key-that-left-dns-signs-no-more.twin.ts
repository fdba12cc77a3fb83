import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §10',
  file: 'services/scheduler/policy/shown-keys.ts',
  is: 'return { ...missing, [id]: { ...before, because: seen.because, gone: true } }',
  becomes: 'return { ...missing, [id]: { ...before, because: seen.because, gone: false } }',
  breaks: 'the campaign goes on to its end with signatures that no receiver can verify',
}
