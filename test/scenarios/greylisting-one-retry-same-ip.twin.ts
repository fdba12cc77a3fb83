import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §4',
  file: 'protocol/retry.ts',
  is: "greylisted: { stepsMs: minutes(5, 10, 20, 40, 60), charged: true, comesBackFrom: 'hard' }",
  becomes: "greylisted: { stepsMs: minutes(5, 10, 20, 40, 60), charged: true, comesBackFrom: 'any' }",
  breaks: 'the second try comes from another IP, a stranger to the greylist, and waits again',
}
