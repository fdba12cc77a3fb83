import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §4',
  file: 'services/sender/routes.ts',
  is: 'return failure !== undefined && failure.noneUntil > this.#mono()',
  becomes: 'return failure === null',
  breaks: 'mail for a domain that says of itself that it takes none is tried again until its deadline',
}
