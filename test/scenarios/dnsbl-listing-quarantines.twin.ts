import type { Twin } from '../kit/twin.ts'

/** What breaks when the rule is switched off. */
export const twin: Twin = {
  rule: 'delivery.md §7',
  file: 'services/ip-manager/policy/listings.ts',
  is: 'if (quarantine && listing !== undefined && !listing.released) return zone',
  becomes: 'if (!quarantine && listing !== undefined && !listing.released) return zone',
  breaks: 'the listed IP goes on serving, and every site that asks the list refuses its mail',
}
