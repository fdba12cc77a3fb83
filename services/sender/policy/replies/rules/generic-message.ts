// biome-ignore-all format: a row a line, so that the table reads as one
import type { Rule } from '../rule.ts'
import { POLICY, SPAM, TOO_LARGE, TOO_MANY_RCPTS } from '../then.ts'

/** Before every row about a mailbox: a verdict may quote what the mail says of mailboxes and accounts. */
export const VERDICT_FIRST: readonly Rule[] = [
  { id: 'content/verdict', seen: '554 5.7.1 Rejected as phishing: your mailbox is full', when: /^(this )?(e-?mail |message |mail )?(was |has been |is )?(rejected |refused |blocked |detected )?(as |for )?(spam|phishing|malware)\b/i, then: SPAM },
  { id: 'content/header-address', seen: '550 5.6.0 Invalid address in Cc header', when: /(address|recipient|mailbox) in .{0,20}header/i, then: SPAM },
]

/** What any mail server may say about this mail. */
export const GENERIC_MESSAGE: readonly Rule[] = [
  { id: 'rcpts/552', seen: '552 5.5.3 Too many recipients', when: /too many (recipients|rcpts|addressees)|(maximum|number of) recipients/i, then: TOO_MANY_RCPTS },
  { id: 'rcpts/452', seen: '452 4.5.3 Error: too many recipients', when: /too many (recipients|rcpts|addressees)|(maximum|number of) recipients/i, then: TOO_MANY_RCPTS },
  { id: 'size/refused', seen: '552 5.3.4 Message size exceeds fixed limit', when: /(message|mail|size|data).{0,40}(exceed|too (big|large|long))|maximum (message )?size/i, then: TOO_LARGE },
  // In answer to MAIL FROM:<> SIZE=: this mail's matter, and no reason for its domain to rest.
  { id: 'size/announced', stages: ['mail'], seen: '552 5.3.4 Message size exceeds the limit of this server', when: /(message|mail|size|data).{0,40}(exceed|too (big|large|long))|maximum (message )?size/i, then: TOO_LARGE },
  { id: 'size/deferred', seen: '452 4.3.4 Message too large for the space that is left', when: /message (is )?too (big|large)/i, then: TOO_LARGE },
  { id: 'content/virus', seen: '554 5.7.1 Message rejected: virus found (Eicar-Test-Signature)', when: /\bvirus|malware|trojan|infected|phish/i, then: SPAM },
  { id: 'content/attachment', seen: '552 5.7.0 Attachment type not allowed (.exe)', when: /(attachment|file).{0,40}(not (allowed|accepted|permitted)|blocked|forbidden|banned)|banned (file|attachment)/i, then: SPAM },
  { id: 'content/banned', seen: '554 5.7.0 Reject, id=12345-02 - BANNED: application/x-msdownload', when: /^reject.{0,60}\bbanned\b/i, then: SPAM },
  { id: 'content/spam', seen: '554 5.7.1 Our filter takes this message for spam', when: /\bspam\b|spam-?like|spamassassin|unsolicited|junk|\buce\b|\bube\b/i, then: SPAM },
  { id: 'content/spam-deferred', seen: '451 4.7.1 Message looks like spam, try again later', when: /\bspam\b|unsolicited|junk/i, then: SPAM },
  { id: 'content/filter', seen: '550 5.7.1 Message content rejected, id=12345-01', when: /(message|content|mail|e-?mail).{0,40}(rejected|refused|denied|blocked|not accepted).{0,60}(content|filter)|content (rejected|denied|refused|filter)/i, then: SPAM },
  { id: 'content/qmail', seen: '554 mail server permanently rejected message (#5.3.0)', when: /permanently rejected message/i, then: SPAM },
  { id: 'content/mxlogic', seen: '554 Denied [1a2b3c.0.456.00-1.2.p01c12m034.mxlogic.net] (Mode: normal)', when: /^denied \[.{1,120}mxlogic/i, then: SPAM },
  { id: 'content/malformed', seen: '550 5.6.0 Message headers fail syntax check', when: /malformed|rfc ?-?5322|rfc ?-?2822|(header|mime).{0,40}(syntax|missing|invalid|duplicate|error)|(missing|invalid|duplicate).{0,20}header/i, then: SPAM },
  { id: 'content/8bit', seen: '554 5.6.1 Body type not supported by remote host', when: /body type not supported|eight.?bit|8-?bit/i, then: SPAM },
  { id: 'policy/organisation', seen: '550 5.7.1 Message rejected by organization policy', when: /(organi[sz]ation|company|administrative|admin|domain)('s)? (policy|prohibition|rule)|administratively (denied|prohibited)|customer (policy|block)/i, then: POLICY },
  { id: 'policy/local', seen: '550 5.7.1 Message rejected due to local policy', when: /local policy|policy (reasons|rejection|violation|restriction)|(violates|against) .{0,30}policy|by policy/i, then: SPAM },
]
