// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { BAD_SETUP, FULL, SPAM, UNAUTHENTICATED, UNKNOWN, crowd, disliked, listed } from '../then.ts'

export const GERMANY = [
  ...rowsOf(
    ['t-online'],
    [
      // Said instead of a greeting: without the row the default would blame one host and walk on to the next.
      { id: 't-online/refused', stages: ['greeting', 'ehlo', 'mail'], seen: '554 IP=203.0.113.7 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (NOWL)', when: /^ip[=:].{0,45} - .{0,120}tosa@rx\.t-online\.de/i, then: listed() },
      { id: 't-online/spam', seen: '550 5.7.0 Message considered as spam or virus, rejected', when: /considered as spam or virus/i, then: SPAM },
      { id: 't-online/full', seen: '552 5.2.2 Requested mail action aborted: mailbox of recipient is full', when: /mailbox of recipient is full/i, then: FULL },
    ],
  ),
  ...rowsOf(
    ['gmx', 'mail-com'],
    [
      { id: 'gmx/blacklisted', stages: ['greeting', 'ehlo', 'mail'], seen: '554 gmx.net (mxgmx117) Nemesis ESMTP Service not available No SMTP service IP address is black listed. For explanation visit https://postmaster.gmx.net/en/error-messages?ip=203.0.113.7&c=bl', when: /ip address is black ?listed/i, then: listed() },
      { id: 'gmx/ptr', seen: '554 gmx.net (mxgmx104) Nemesis ESMTP Service not available No SMTP service Bad DNS PTR resource record. For explanation visit https://postmaster.gmx.net/', when: /bad dns ptr resource record/i, then: BAD_SETUP },
      { id: 'gmx/connections', seen: '421 gmx.net (mxgmx015) Nemesis ESMTP Service not available, Too many connections', when: /too many connections/i, then: crowd({ restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
      { id: 'gmx/policy-deferred', seen: '450 Requested mail action not taken: mailbox unavailable Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/', when: /reject due to policy (restrictions|violations)/i, then: disliked({ restMs: HOUR_MS, threshold: times(5).within(HOUR_MS) }) },
      { id: 'gmx/policy', seen: '554 Transaction failed Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/en/error-messages?ip=203.0.113.7&c=hi', when: /reject due to policy (restrictions|violations)/i, then: disliked({ restMs: 2 * HOUR_MS, threshold: times(5).within(HOUR_MS) }) },
      { id: 'gmx/sender-domain', seen: '550 Requested action not taken: mailbox unavailable invalid DNS MX or A/AAAA resource record', when: /invalid dns mx or a/i, then: UNAUTHENTICATED },
      { id: 'gmx/sender', seen: '550 Requested action not taken: mailbox unavailable Sender address is not allowed.', when: /sender address is not allowed/i, then: UNAUTHENTICATED },
      { id: 'gmx/dkim', seen: '554 Transaction failed Reject due to invalid or missing DKIM signature. For explanation visit https://postmaster.gmx.net/', when: /missing dkim signature/i, then: UNAUTHENTICATED },
      { id: 'gmx/unknown', seen: '550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net/en/error-messages?ip=203.0.113.7&c=mbx', when: /^requested action not taken: mailbox unavailable/i, then: UNKNOWN },
      { id: 'gmx/full', seen: '552 Requested mail action aborted: exceeded storage allocation Quota exceeded. The recipient mailbox is full.', when: /quota exceeded|exceeded storage allocation/i, then: FULL },
      { id: 'gmx/content', seen: '554 Transaction failed Message contains malware or spam. For explanation visit https://postmaster.gmx.net/', when: /message contains (malware|spam|viruses)/i, then: SPAM },
    ],
  ),
]
