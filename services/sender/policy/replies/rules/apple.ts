// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { FULL, SPAM, UNAUTHENTICATED, UNKNOWN, busy, disliked, domainDisliked, listed } from '../then.ts'

/** iCloud stands behind Proofpoint's reputation service, so both know the ipcheck row. Page: support.apple.com/102322. */
export const APPLE = [
  ...rowsOf(
    ['apple', 'proofpoint'],
    [
      { id: 'proofpoint/ipcheck', seen: '554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.7', when: /ipcheck\.proofpoint\.com/i, then: listed() },
      { id: 'proofpoint/ipcheck-deferred', seen: '421 4.7.0 Deferred - see https://ipcheck.proofpoint.com/?ip=203.0.113.7', when: /ipcheck\.proofpoint\.com/i, then: disliked({ restMs: HOUR_MS }) },
    ],
  ),
  ...rowsOf(
    ['apple'],
    [
      { id: 'apple/hcm1', seen: '421 4.7.1 [HCM1] Your mail from 203.0.113.7 was deferred.', when: /\[hcm1\]/i, then: disliked({ restMs: 15 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
      { id: 'apple/bs02', seen: '451 [BS02] Temporary server error. Please try again later.', when: /\[bs02\]/i, then: busy({ restMs: 15 * MINUTE_MS, threshold: times(5).within(HOUR_MS) }) },
      { id: 'apple/unavailable', seen: '451 4.3.2 Service unavailable - try again later', when: /service unavailable - try again later/i, then: busy({ restMs: 15 * MINUTE_MS, threshold: times(5).within(HOUR_MS) }) },
      { id: 'apple/dbl', seen: '554 5.7.1 [CS01] Your email was rejected due to having a domain present in the Spamhaus DBL -- see https://www.spamhaus.org/dbl/', when: /domain present in the spamhaus dbl/i, then: domainDisliked({ restMs: 4 * HOUR_MS }) },
      { id: 'apple/dmarc', seen: "554 5.7.1 Your message was rejected due to acme.example's DMARC policy. See https://support.apple.com/en-us/HT204137 for info", when: /'s dmarc policy/i, then: UNAUTHENTICATED },
      { id: 'apple/local-policy', seen: '554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137', when: /message rejected due to local policy/i, then: SPAM },
      { id: 'apple/no-alias', seen: '550 5.1.1 unknown or illegal alias: taro@icloud.com', when: /unknown or illegal alias/i, then: UNKNOWN },
      { id: 'apple/full', seen: '552 5.2.2 <taro@icloud.com>: user is over quota', when: /user is over quota/i, then: FULL },
      { id: 'apple/full-deferred', seen: '450 4.2.2 <taro@icloud.com>: user is over quota', when: /user is over quota/i, then: FULL },
    ],
  ),
]
