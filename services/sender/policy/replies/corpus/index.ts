import { ELSEWHERE } from './elsewhere.ts'
import { EUROPE } from './europe.ts'
import { FILTERS } from './filters.ts'
import { GOOGLE } from './google.ts'
import { HOME_MADE } from './home-made.ts'
import { JAPAN } from './japan.ts'
import { MICROSOFT } from './microsoft.ts'
import type { CorpusReply } from './row.ts'
import { SERVERS } from './servers.ts'
import { TRAPS } from './traps.ts'
import { YAHOO_APPLE } from './yahoo-apple.ts'

/** Replies that `npm run rules -- coverage` has the rules judge: written after published bounces, with addresses and hosts changed, and none
 *  of them a row's sample. Where the rules are wrong, mend the rules; where they have no way to know, let the miss stand. */
export const CORPUS: readonly CorpusReply[] = [
  ...GOOGLE,
  ...MICROSOFT,
  ...YAHOO_APPLE,
  ...JAPAN,
  ...EUROPE,
  ...FILTERS,
  ...SERVERS,
  ...ELSEWHERE,
  ...TRAPS,
  ...HOME_MADE,
]
