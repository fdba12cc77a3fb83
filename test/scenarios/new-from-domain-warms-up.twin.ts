import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/scheduler/policy/from-ramp.ts',
  is: 'return start === 0 || days >= KNOWN_AFTER_DAYS ? null : Math.floor(start * factor ** days)',
  becomes: 'return start >= 0 || days >= KNOWN_AFTER_DAYS ? null : Math.floor(start * factor ** days)',
  breaks: 'a domain that the provider has never heard of sends its whole list there on its first day',
}
