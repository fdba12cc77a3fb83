// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { AMBIGUOUS, FULL, OUR_FAULT, SESSION_END, SPAM, TOO_LARGE, TOO_MANY_RCPTS, UNKNOWN, crowd, disliked, tooFast } from '../then.ts'

/** Carriers answer "unknown user" for the user's own filter as well (docomo, au), so their rows never suppress at once. */
export const JAPAN = [
  ...rowsOf(
    ['yahoo-jp'],
    [
      // Said after DATA, where the default would blame the content (unknown-user-after-dot-is-the-recipient).
      { id: 'yahoo-jp/no-account', stages: ['dot', 'rcpt'], seen: "554 delivery error: dd This user doesn't have a yahoo.co.jp account (taro@yahoo.co.jp) [-5] - mta086.mail.bbt.yahoo.co.jp", when: /this user doesn't have a/i, then: UNKNOWN },
      { id: 'yahoo-jp/vs98', seen: '553 Mail from 203.0.113.7 not allowed - VS98-IP0 deferred - see https://mail.yahoo.co.jp/', when: /vs98-ip0/i, then: disliked({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'yahoo-jp/ts04', seen: '421 [TSS04] Messages from 203.0.113.7 temporarily deferred due to unexpected volume or user complaints', when: /\[(tss?|ipts)04\]/i, then: disliked({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'yahoo-jp/unknown-rcpts', seen: '451 VS1-IP Excessive unknown recipients - possible Open Relay http://help.yahoo.co.jp/help/jp/mail/spam/spam-18.html (#4.1.8)', when: /excessive unknown recipients/i, then: disliked({ restMs: HOUR_MS }) },
      { id: 'yahoo-jp/command-timeout', seen: '421 Timeout waiting for command', when: /timeout waiting for command/i, then: { ...SESSION_END, restMs: 30 * MINUTE_MS, threshold: times(2).within(HOUR_MS) } },
      { id: 'yahoo-jp/policy', seen: '554 Message not allowed - UP Email not accepted for policy reasons. Please visit http://help.yahoo.co.jp/help/jp/mail/', when: /email not accepted for policy reasons/i, then: SPAM },
      { id: 'yahoo-jp/resources', seen: '451 Resources temporarily unavailable. Please try again later. [#4.16.5]', when: /resources temporarily unavailable/i, then: { class: 'site-busy', blames: 'site' } },
    ],
  ),
  ...rowsOf(
    ['docomo'],
    [
      { id: 'docomo/unknown', seen: '550 Unknown user taro@docomo.ne.jp', when: /unknown user/i, then: AMBIGUOUS },
      { id: 'docomo/full', seen: '552 Too much mail data taro@docomo.ne.jp', when: /too much mail data/i, then: FULL },
      { id: 'docomo/rcpts', seen: '552 Too many recipients', when: /too many recipients/i, then: TOO_MANY_RCPTS },
      // Past the 101st nothing of the session is delivered, not even what was accepted (101st-recipient-trap): a limit of ours was broken.
      { id: 'docomo/session-rcpts', seen: '554 Transaction failed', when: { code: 554, text: /^transaction failed/i }, then: { ...TOO_MANY_RCPTS, blames: 'us' } },
      { id: 'docomo/line', stages: ['data', 'dot'], seen: '500 Line Too Long', when: /line too long/i, then: { class: 'protocol', blames: 'us', outcome: 'bounced' } },
      { id: 'docomo/size', seen: '552 Message size exceeds maximum value', when: /message size exceeds/i, then: TOO_LARGE },
      { id: 'docomo/busy', seen: '421 docomo.ne.jp Service not available, closing transmission channel', when: /service not available, closing/i, then: { class: 'site-busy', blames: 'site', restMs: 10 * MINUTE_MS } },
    ],
  ),
  ...rowsOf(
    ['au'],
    [
      { id: 'au/unknown', seen: '550 <taro@ezweb.ne.jp>: User unknown', when: /user unknown/i, then: AMBIGUOUS },
      { id: 'au/rcpts', seen: '452 Too many recipients received this session', when: /too many recipients/i, then: TOO_MANY_RCPTS },
      { id: 'au/connections', seen: '421 Too many connections from your host', when: /too many connections/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'au/size', seen: '552 Message size exceeds fixed maximum message size', when: /message size exceeds/i, then: TOO_LARGE },
    ],
  ),
  ...rowsOf(
    ['softbank'],
    [
      { id: 'softbank/unknown', seen: '550 Invalid recipient: <taro@i.softbank.jp>', when: /invalid recipient/i, then: UNKNOWN },
      { id: 'softbank/envelope', stages: ['mail', 'rcpt'], seen: '553 bounce.acme.example does not exist', when: { code: 553, text: /does not exist/i }, then: OUR_FAULT },
      { id: 'softbank/full', seen: '552 Mailbox full: <taro@softbank.ne.jp>', when: /mailbox full/i, then: FULL },
      { id: 'softbank/rate', seen: '421 Too many mails from 203.0.113.7, try again later', when: /too many mails from/i, then: tooFast({ restMs: HOUR_MS }) },
    ],
  ),
  ...rowsOf(['jcom'], [{ id: 'jcom/session', seen: '421 #4.x.2 Too many messages for this session', when: /too many messages for this session/i, then: SESSION_END }]),
  ...rowsOf(
    ['ocn', 'plala', 'nifty', 'biglobe', 'so-net'],
    [
      { id: 'japan-isp/mail-quota', seen: '550 5.2.1 <taro@ocn.example>... Mail quota exceeded', when: /mail quota exceeded/i, then: FULL },
      { id: 'japan-isp/unknown', seen: '550 5.1.1 <taro@nifty.example>... User Unknown', when: /\.\.\. (user|recipient) unknown/i, then: UNKNOWN },
      { id: 'japan-isp/volume', seen: '450 4.7.1 Error: too much mail from 203.0.113.7', when: /too much mail from/i, then: tooFast({ restMs: HOUR_MS }) },
    ],
  ),
]
