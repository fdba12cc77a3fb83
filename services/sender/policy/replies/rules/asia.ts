// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, rowsOf, times } from '../rule.ts'
import { AMBIGUOUS, OUR_FAULT, SPAM, TOO_MANY_RCPTS, UNAUTHENTICATED, UNKNOWN, crowd, disliked, domainDisliked, listed, tooFast } from '../then.ts'

const FREQUENT = { restMs: HOUR_MS, threshold: times(5).within(HOUR_MS) }

export const ASIA = [
  ...rowsOf(
    ['naver'],
    [
      { id: 'naver/filtered', seen: '421 4.3.2 Your IP [203.0.113.7] is filtered. Contact to postmaster@naver.com', when: /your ip .{0,50}is filtered/i, then: listed() },
      { id: 'naver/blocked', seen: '421 4.3.2 Your ip blocked from this server 203.0.113.7 - nsmtp', when: /your ip blocked/i, then: listed() },
      { id: 'naver/too-many', seen: '421 4.3.1 You send too many messages. Try again later', when: /you send too many messages/i, then: tooFast({ restMs: HOUR_MS }) },
      { id: 'naver/unknown', seen: '550 5.1.1 No such address here taro@naver.com', when: /no such address here/i, then: UNKNOWN },
    ],
  ),
  ...rowsOf(
    ['qq'],
    [
      { id: 'qq/ip-frequency', seen: '550 Ip frequency limited [MAAKHg01uGXZ IP: 203.0.113.7]. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000725', when: /(ip|connection) frequency limited/i, then: tooFast(FREQUENT) },
      { id: 'qq/sender-frequency', seen: '550 Sender frequency limited [MAAKHg01uGXZ]. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000722', when: /(sender|domain) frequency limited/i, then: domainDisliked(FREQUENT) },
      { id: 'qq/content', seen: '550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726', when: /mail content denied/i, then: SPAM },
      { id: 'qq/unavailable', seen: '550 Mailbox unavailable or access denied [MAAKHg01uGXZ IP: 203.0.113.7]', when: /mailbox unavailable or access denied/i, then: AMBIGUOUS },
      { id: 'qq/denied', seen: '550 Connection denied [MAAKHg01uGXZ IP: 203.0.113.7]. http://service.mail.qq.com/', when: /connection denied/i, then: listed() },
      { id: 'qq/spam', seen: '550 Suspected spam. http://service.mail.qq.com/', when: /suspected spam/i, then: SPAM },
      { id: 'qq/authentication', seen: '550 SPF check failed. The domain of the sender does not comply with the SPF setting. http://service.mail.qq.com/', when: /^(spf|dkim|dmarc) check failed/i, then: UNAUTHENTICATED },
    ],
  ),
  ...rowsOf(
    ['163'],
    [
      { id: '163/spam-deferred', seen: '451 DT:SPM 163 mx41,QsCowAB3f2Oo http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^dt:spm/i, then: SPAM },
      { id: '163/spam', seen: '554 DT:SPM 163 mx22,PsCowEBJ http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^dt:spm/i, then: SPAM },
      { id: '163/envelope', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '554 DT:SUM 163 smtp9,DcCowEB http://mail.163.com/help/help_spam_16.htm', when: /^dt:sum/i, then: OUR_FAULT },
      { id: '163/daily-rcpts', seen: '550 RP:ORQ 163 mx11,OsCowAC http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^rp:(orq|cel)/i, then: tooFast(FREQUENT) },
      { id: '163/rcpts', seen: '550 RP:RCL 163 mx11,OsCowAC http://mail.163.com/help/help_spam_16.htm', when: /^rp:rcl/i, then: TOO_MANY_RCPTS },
      { id: '163/ip-daily', seen: '554 HL:ITC 163 mx8,NsCowAD http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^hl:(itc|ifc)/i, then: tooFast(FREQUENT) },
      { id: '163/ip-frequency', seen: '421 HL:IFC 163 mx8,NsCowAD http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^hl:(itc|ifc)/i, then: tooFast(FREQUENT) },
      { id: '163/ip-connections', seen: '421 HL:ICC 163 mx8,NsCowAD http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^hl:icc/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: '163/ip-reputation', seen: '550 HL:REP 163 mx8,NsCowAD http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7', when: /^hl:rep/i, then: disliked({ restMs: 4 * HOUR_MS }) },
      { id: '163/unknown', seen: '550 User not found: taro@163.com', when: /user not found/i, then: UNKNOWN },
    ],
  ),
  ...rowsOf(['rediff'], [{ id: 'rediff/blocked', seen: '554 5.7.1 Mail from 203.0.113.7 has been blocked by Rediff, write to postmaster@rediffmailpro.com', when: /has been blocked by rediff/i, then: listed() }]),
]
