import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'design §4',
  file: 'services/scheduler/expansion.ts',
  is: 'const isNew = key === null || seen?.add(key) === true',
  becomes: 'const isNew = true || seen?.has(key ?? "")',
  breaks: 'whoever stands in the list twice is a recipient twice, and `duplicates` stays 0',
}
