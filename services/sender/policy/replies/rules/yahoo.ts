// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { BUSY, DISABLED, FULL, GREY, SESSION_END, SPAM, UNAUTHENTICATED, UNKNOWN, disliked, listed } from '../then.ts'

/** Yahoo, AOL, Verizon and what moves there (comcast.net through 2026). Texts: senders.yahooinc.com/smtp-error-codes. */
export const YAHOO = rowsOf(
  ['yahoo'],
  [
    { id: 'yahoo/ts04', seen: '421 4.7.0 [TSS04] Messages from 203.0.113.7 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes', when: /\[(tss?|ipts)04\]/i, then: disliked({ restMs: 2 * HOUR_MS }) },
    { id: 'yahoo/ts05', seen: '421 4.7.0 [TSS05] Messages from 203.0.113.7 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes', when: /\[(tss?|ipts)05\]/i, then: disliked({ restMs: 4 * HOUR_MS }) },
    { id: 'yahoo/ts03', seen: '421 4.7.1 [TS03] All messages from 203.0.113.7 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes', when: /all messages from.{0,45}permanently deferred/i, then: listed({ restMs: 4 * HOUR_MS }) },
    { id: 'yahoo/ts01', seen: '421 4.7.0 [TS01] Messages from 203.0.113.7 temporarily deferred due to user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes', when: /\[ts0[12]\]/i, then: disliked({ restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
    { id: 'yahoo/grey', seen: '451 4.7.1 [GL01] Message from (203.0.113.7) temporarily deferred - 4.16.50. Please refer to https://postmaster.yahooinc.com/error-codes', when: /\[gl01\]/i, then: GREY },
    { id: 'yahoo/deferred', seen: '421 4.16.50 Message temporarily deferred - [160]', when: /message temporarily deferred/i, then: disliked({ restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
    { id: 'yahoo/spamhaus', seen: "553 5.7.1 [BL21] Connections will not be accepted from 203.0.113.7, because the ip is in Spamhaus's list; see https://postmaster.yahooinc.com/error-codes", when: /\[(bl2\d|tss07)\]/i, then: listed({ restMs: 2 * HOUR_MS }) },
    { id: 'yahoo/per-connection', seen: '421 Max message per connection reached, closing transmission channel', when: /max message per connection reached/i, then: SESSION_END },
    { id: 'yahoo/resources', seen: '451 Resources temporarily not available - Please try again later [#4.16.5].', when: /resources temporarily (not available|unavailable)/i, then: BUSY },
    { id: 'yahoo/internal', seen: '451 4.3.2 Internal error reading data', when: /internal error (reading|writing) data/i, then: BUSY },
    { id: 'yahoo/no-account', seen: "554 delivery error: dd This user doesn't have a yahoo.com account (taro@yahoo.com) [0] - mta1234.mail.bf1.yahoo.com", when: /this user doesn't have a/i, then: UNKNOWN },
    { id: 'yahoo/not-found', seen: '552 1 Requested mail action aborted, mailbox not found', when: /mailbox not found/i, then: UNKNOWN },
    { id: 'yahoo/disabled', seen: '554 delivery error: dd Sorry, your message to taro@yahoo.com cannot be delivered. This mailbox is disabled (554.30). - mta4321.mail.gq1.yahoo.com', when: /this mailbox is disabled/i, then: DISABLED },
    { id: 'yahoo/full', seen: '552 5.2.2 The recipient (taro@yahoo.com) is over their quota', when: /over (their )?quota/i, then: FULL },
    { id: 'yahoo/policy', seen: '554 Message not allowed - [PH01] Email not accepted for policy reasons. Please visit https://postmaster.yahooinc.com/error-codes [120]', when: /\[ph01\]|email not accepted for policy reasons/i, then: SPAM },
    { id: 'yahoo/headers', seen: '554 Message not allowed - Headers are not RFC compliant[240]', when: /headers are not rfc compliant/i, then: SPAM },
    { id: 'yahoo/unauthenticated', seen: '550 5.7.9 This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM.', when: { code: 550, enhanced: '5.7.9', text: /unauthenticated/i }, then: UNAUTHENTICATED },
    { id: 'yahoo/dmarc', seen: '554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes', when: { enhanced: '5.7.9' }, then: UNAUTHENTICATED },
  ],
)
