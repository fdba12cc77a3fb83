import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §9',
  file: 'services/scheduler/feedback-places.ts',
  is: "if (key === null) return { heard: 'forged', concerned: NOBODY }",
  becomes: 'if (key === null) return this.#byWord(tenant, feedback)',
  breaks: 'anybody who can write to the return path silences whom they name: the victim of a forged complaint gets no further mail',
}
