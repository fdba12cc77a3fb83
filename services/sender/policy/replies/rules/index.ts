import type { Rule } from '../rule.ts'
import { AMERICAS } from './americas.ts'
import { APPLE } from './apple.ts'
import { ASIA } from './asia.ts'
import { EUROPE } from './europe.ts'
import { FILTERS } from './filters.ts'
import { FRANCE } from './france.ts'
import { GENERIC_MESSAGE, VERDICT_FIRST } from './generic-message.ts'
import { GENERIC_RECIPIENT, MAILBOX_FIRST } from './generic-recipient.ts'
import { GENERIC_BYE, GENERIC_SESSION, GENERIC_SITE } from './generic-site.ts'
import { GENERIC_SOURCE } from './generic-source.ts'
import { GERMANY } from './germany.ts'
import { GOOGLE } from './google.ts'
import { JAPAN } from './japan.ts'
import { LANGUAGES } from './languages.ts'
import { MICROSOFT } from './microsoft.ts'
import { STATUS } from './status.ts'
import { YAHOO } from './yahoo.ts'

/** Every built-in row, in the order of judgement: a provider's own words, then everybody's, last the bare status codes. */
export const BUILT_IN_RULES: readonly Rule[] = [
  ...GOOGLE,
  ...MICROSOFT,
  ...YAHOO,
  ...APPLE,
  ...JAPAN,
  ...FRANCE,
  ...GERMANY,
  ...EUROPE,
  ...AMERICAS,
  ...ASIA,
  ...FILTERS,
  ...MAILBOX_FIRST,
  ...GENERIC_SESSION,
  // What is about us before what is about them: reading a block as an unknown user would suppress people.
  ...GENERIC_SOURCE,
  ...GENERIC_BYE,
  ...GENERIC_SITE,
  ...VERDICT_FIRST,
  ...GENERIC_RECIPIENT,
  ...GENERIC_MESSAGE,
  ...LANGUAGES,
  ...STATUS,
]
