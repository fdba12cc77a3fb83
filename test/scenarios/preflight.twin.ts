import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §2',
  file: 'services/content/preflight.ts',
  is: "return kind === 'marketing' ? { problems: bad, warnings: rest } : { problems: [], warnings: [...bad, ...rest] }",
  becomes: "return kind === 'marketing' ? { problems: [], warnings: [...bad, ...rest] } : { problems: [], warnings: [...bad, ...rest] }",
  breaks: 'a newsletter leaves from a domain without DMARC, and the large providers refuse it recipient by recipient',
}
