// biome-ignore-all format: a reply a line, so that the table reads as one
import { heardFrom } from './row.ts'

/** Carriers and access providers; docomo and au say "unknown" for the user's own filter too, so a postmaster believes them half. */
export const JAPAN = [
  ...heardFrom('docomo', [
    ['rcpt', 'ambiguous-user', 'recipient', '550 Unknown user hanako.y@docomo.ne.jp'],
    ['rcpt', 'ambiguous-user', 'recipient', '550 5.1.1 <hanako@docomo.ne.jp>... User unknown'],
    ['dot', 'mailbox-full', 'recipient', '552 5.2.2 Too much mail data hanako@docomo.ne.jp'],
    ['rcpt', 'too-many-recipients', 'nobody', '552 5.5.3 Too many recipients specified'],
    ['dot', 'protocol', 'us', '500 Line Too Long.'],
    ['mail', 'site-busy', 'site', '421 4.3.2 Service not available, closing transmission channel (mfsmax.docomo.ne.jp)'],
    ['rcpt', 'site-busy', 'site', '450 Requested mail action not taken: server busy'],
    ['mail', 'authentication', 'sender', '550 5.1.8 Sender domain does not exist: bounce.acme.example'],
    ['dot', 'authentication', 'sender', '550 5.7.1 Rejected: DMARC policy of acme.example is reject'],
  ]),
  ...heardFrom('au', [
    ['rcpt', 'ambiguous-user', 'recipient', '550 5.1.1 <hanako@au.com>: User unknown (msmx.au.com)'],
    ['rcpt', 'ambiguous-user', 'recipient', '550 <hanako-x@ezweb.ne.jp>: Recipient address rejected: User unknown in local recipient table'],
    ['rcpt', 'too-many-recipients', 'nobody', '452 4.5.3 Too many recipients'],
    ['greeting', 'too-many-connections', 'site', '421 4.7.0 lsean.ezweb.ne.jp Error: too many connections from 198.51.100.20'],
    ['mail', 'rate', 'source', '450 4.7.1 Error: too much mail from 198.51.100.20'],
    ['dot', 'too-large', 'content', '552 5.3.4 Message size exceeds fixed limit (3145728)'],
    ['rcpt', 'mailbox-full', 'recipient', '452 4.2.2 <hanako@ezweb.ne.jp>: Mailbox full'],
    ['mail', 'blocked', 'source', '554 5.7.1 Service unavailable; Client host [198.51.100.20] blocked'],
  ]),
  ...heardFrom('softbank', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 Invalid recipient: <hanako@softbank.ne.jp>'],
    ['rcpt', 'unknown-user', 'recipient', '550 Invalid recipient <hanako@i.softbank.jp>'],
    ['mail', 'protocol', 'us', '553 sorry, your envelope sender domain rp.acme.example does not exist (#5.7.1)'],
    ['rcpt', 'mailbox-full', 'recipient', '552 5.2.2 Mailbox full: <hanako@disney.ne.jp>'],
    ['greeting', 'rate', 'source', '421 Too many mails from 198.51.100.20'],
    ['greeting', 'too-many-connections', 'site', '421 mx.softbank.ne.jp Too many concurrent SMTP connections; please try again later'],
  ]),
  ...heardFrom('yahoo-jp', [
    ['dot', 'unknown-user', 'recipient', "554 delivery error: dd This user doesn't have a yahoo.co.jp account (hanako_2001@yahoo.co.jp) [-5] - mta514.mail.djm.ynwp.yahoo.co.jp"],
    ['dot', 'unknown-user', 'recipient', "554 delivery error: dd This user doesn't have a ybb.ne.jp account (hanako@ybb.ne.jp) [0] - mta7001.mail.kks.ynwp.yahoo.co.jp"],
    ['dot', 'mailbox-full', 'recipient', '554 delivery error: dd Sorry, your message to hanako@yahoo.co.jp cannot be delivered.  This account is over quota. - mta509.mail.djm.ynwp.yahoo.co.jp'],
    ['dot', 'mailbox-disabled', 'recipient', '554 delivery error: dd Sorry, your message to hanako@yahoo.co.jp cannot be delivered.  This account has been disabled or discontinued [#102]. - mta018.mail.bbt.yahoo.co.jp'],
    ['mail', 'reputation', 'source', '553 Mail from 198.51.100.20 not allowed - VS98-IP0 deferred - see http://www.yahoo-help.jp/app/answers/detail/p/622'],
    ['mail', 'reputation', 'source', '451 VS1-IP Excessive unknown recipients - possible Open Relay http://www.yahoo-help.jp/ (#4.1.8)'],
    ['mail', 'reputation', 'source', '421 4.7.0 [TSS04] Messages from 198.51.100.20 temporarily deferred due to unexpected volume or user complaints - see https://mail.yahoo.co.jp/'],
    ['dot', 'content', 'content', '554 5.7.9 Message not allowed - UP Email not accepted for policy reasons. Please visit https://support.yahoo-net.jp/ [#4]'],
    ['dot', 'authentication', 'sender', '550 5.7.26 DMARC policy violation: mail from acme.example was refused'],
    ['idle', 'session-end', 'nobody', '421 4.4.2 Timeout waiting for command'],
    ['rcpt', 'site-busy', 'site', '451 4.3.2 Resources temporarily unavailable. Please try again later. [#4.16.5]'],
  ]),
  ...heardFrom('jcom', [
    ['mail', 'session-end', 'nobody', '421 4.7.0 Too many messages for this session, please open another'],
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@jcom.home.ne.jp>... User unknown'],
  ]),
  ...heardFrom('ocn', [
    ['rcpt', 'mailbox-full', 'recipient', '550 5.2.2 <hanako@ocn.example>... Mail quota exceeded'],
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@ocn.example>... User unknown'],
    ['greeting', 'rate', 'source', '421 4.7.0 Connection rate limit exceeded'],
  ]),
  ...heardFrom('nifty', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 unknown or illegal alias: hanako@nifty.example'],
    ['dot', 'content', 'content', '550 5.7.1 Message rejected as spam by Content Filtering.'],
  ]),
  ...heardFrom('biglobe', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <hanako@biglobe.example>... Recipient unknown'],
    ['rcpt', 'greylisted', 'nobody', '450 4.7.1 <hanako@biglobe.example>: Recipient address rejected: Greylisted, see http://postgrey.example/'],
  ]),
  ...heardFrom('sakura', [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 <info@shop.example>... User unknown'],
    ['greeting', 'blocked', 'source', '550 5.7.1 Access denied: 198.51.100.20 is listed on our blacklist'],
    ['rcpt', 'mailbox-full', 'recipient', '552 5.2.2 <info@shop.example>... Mailbox is full'],
  ]),
  ...heardFrom(null, [
    ['rcpt', 'unknown-user', 'recipient', '550 5.1.1 指定されたユーザーが見つかりませんでした。見つかりません'],
    ['rcpt', 'unknown-user', 'recipient', '550 宛先不明のため配送できません'],
    ['rcpt', 'mailbox-full', 'recipient', '452 4.2.2 相手先のメールボックスがいっぱいです'],
    ['rcpt', 'mailbox-disabled', 'recipient', '550 お客様は既に解約されています'],
    ['rcpt', 'mailbox-disabled', 'recipient', '550 5.7.1 指定受信の設定により受け取れませんでした', 'keep'],
    ['dot', 'content', 'content', '550 5.7.1 スパムと判定されたメールです'],
    ['mail', 'blocked', 'source', '554 5.7.1 接続元 198.51.100.20 は規制されています'],
    ['greeting', 'too-many-connections', 'site', '421 同時接続の上限です'],
    ['mail', 'rate', 'source', '451 4.7.1 単位時間あたりの送信数の上限に達しました'],
    ['rcpt', 'greylisted', 'nobody', '450 4.7.1 5分後に再送してください。しばらくお待ちください'],
    ['greeting', 'site-busy', 'site', '421 サーバーが混雑しています'],
  ]),
]
