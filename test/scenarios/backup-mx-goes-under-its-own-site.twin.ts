import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §6',
  file: 'services/sender/routes.ts',
  is: 'if (this.#sitesOf === null || site === null ||',
  becomes: 'if (this.#sitesOf !== null || site === null ||',
  breaks: "Google gets the shop's mail under the shop's own lease, beside everything that its own window, pace and rests allow",
}
