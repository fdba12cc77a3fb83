// biome-ignore-all format: a reply a line, so that the table reads as one
import { heardFrom } from './row.ts'

/** Providers of the Americas and Asia, and hosts of other people's domains, after their postmaster pages. */
export const ELSEWHERE = [
  ...heardFrom('qq', [
    ['mail', 'rate', 'source', '550 Ip frequency limited [Mx8zRl1xKvA= IP: 198.51.100.20]. https://service.mail.qq.com/detail/0/66'],
    ['dot', 'content', 'content', '550 Mail content denied [Mx8zRl1xKvA= IP: 198.51.100.20]. https://service.mail.qq.com/detail/122/168'],
    ['rcpt', 'ambiguous-user', 'recipient', '550 Mailbox unavailable or access denied [Mx8zRl1xKvA= IP: 198.51.100.20]. https://open.work.weixin.qq.com/help2/pc/20087'],
    ['rcpt', 'unknown-user', 'recipient', '550 The recipient may contain a non-existent account, please check the recipient address.'],
    ['mail', 'rate', 'source', '550 Connection frequency limited [Mx8zRl1xKvA= IP: 198.51.100.20]'],
    ['mail', 'reputation', 'sender', '550 Domain frequency limited [Mx8zRl1xKvA= IP: 198.51.100.20]. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000722'],
  ]),
  ...heardFrom('163', [
    ['dot', 'content', 'content', '554 DT:SPM 163 zwqz-mx-mta-g3-1,_____wDnL_ http://mail.163.com/help/help_spam_16.htm?ip=198.51.100.20&hostid=mx'],
    ['mail', 'reputation', 'source', '550 HL:REP 163 gzga-mx-mta-g0-2,_____wB http://mail.163.com/help/help_spam_16.htm?ip=198.51.100.20'],
    ['greeting', 'rate', 'source', '554 HL:IFC 163 mx40,_____wB http://mail.163.com/help/help_spam_16.htm?ip=198.51.100.20'],
    ['rcpt', 'unknown-user', 'recipient', '550 User not found: hanako88@163.com'],
  ]),
  ...heardFrom('naver', [
    ['greeting', 'blocked', 'source', '421 4.3.2 Your ip blocked from this server 198.51.100.20 - nsmtp'],
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 No such address here - hanako@naver.com - nsmtp'],
    ['mail', 'rate', 'source', '421 4.3.1 You send too many messages. - nsmtp'],
    ['rcpt', 'mailbox-full', 'recipient', '552 5.2.2 Mailbox full - hanako@naver.com - nsmtp'],
  ]),
  ...heardFrom('uol', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@uol.com.br>: Usuario inexistente'],
    ['mail', 'blocked', 'source', '554 5.7.1 Seu IP 198.51.100.20 foi bloqueado por envio de spam'],
  ]),
  ...heardFrom('rackspace', [
    ['rcpt', 'rate', 'source', '451 4.7.1 Received too many messages from a new or untrusted IP: 198.51.100.20 (G28)'],
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@shop.example>: Recipient address rejected: User unknown (G10)'],
    ['greeting', 'too-many-connections', 'site', '421 4.7.1 Too many concurrent connections from 198.51.100.20 (G2)'],
  ]),
  ...heardFrom('godaddy', [
    ['greeting', 'blocked', 'source', '554 p3plibsmtp01-09.prod.phx3.secureserver.net bizsmtp IB103. Connection refused. 198.51.100.20 has a poor reputation on Cloudmark Sender Intelligence (CSI). Please visit http://csi.cloudmark.com/reset-request/ to request a delisting.'],
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@shop.example> Recipient not found. <http://x.co/irbounce>'],
    ['dot', 'content', 'content', '552 5.2.0 yB3a1n00G7 Message rejected for spam or virus content ;Please include this entire message when contacting support ;v=2.4 (IB212)'],
  ]),
  ...heardFrom('cloudflare-routing', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 Address does not exist: hanako@shop.example'],
    ['dot', 'content', 'content', '550 5.7.1 Message is spam score 9. See https://developers.cloudflare.com/email-routing/postmaster/#spam [abc12]'],
  ]),
  ...heardFrom('zoho', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 User does not exist - <hanako@shop.example>'],
    ['rcpt', 'greylisted', 'nobody', '451 4.7.1 Greylisted, try again after some time'],
    ['dot', 'content', 'content', '554 5.7.1 Email cannot be delivered. Reason: Email detected as Spam by spam filters.'],
  ]),
  ...heardFrom('fastmail', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@fastmail.example>: Recipient address rejected: User unknown'],
    ['mail', 'reputation', 'source', '451 4.7.1 <mx7.acme.example[198.51.100.20]>: Client host rejected: too much spam from your IP, reputation too low'],
  ]),
  ...heardFrom('proton', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@proton.me>: Recipient address rejected: Address does not exist'],
    ['rcpt', 'rate', 'source', '451 4.7.1 <mx7.acme.example[198.51.100.20]>: Client host rejected: Rate limited, try again later'],
  ]),
  ...heardFrom('ovh', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@shop.example>: Recipient address rejected: user unknown (mail.ovh.net)'],
    ['dot', 'content', 'content', '554 5.7.1 Spam message rejected; If this is not spam contact abuse at ovh'],
  ]),
]
