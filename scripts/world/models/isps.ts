/** The providers, as rows. Numbers are those of the providers' facts, where they are known; a limit below is what the
 *  provider bears, so a sender that keeps to the facts never meets an `excess` behaviour. Rests are seconds where a
 *  real provider takes hours, since a demo has minutes. */
import { connectRate, silentClose, sessionCap, mailsPerSession, mailRate, rcptsPerMail, refusedPerSession } from './limits.ts'
import { noPipelining, noTls, tlsOffered, tlsRequired } from './connecting.ts'
import type { Domain, IspRow } from './isp.ts'
import { mailboxFull, reputation, sessionRcptTrap, unknownAfterDot, unknownUser } from './recipients.ts'
import { reply } from './reply.ts'

const MODERN = ['PIPELINING', 'SIZE 36700160', '8BITMIME', 'STARTTLS', 'ENHANCEDSTATUSCODES'] as const
const CARRIER = ['SIZE 10485760', '8BITMIME'] as const
/** RFC 5321 4.5.3.2.7 asks servers for 5 minutes. */
const IDLE_MS = 300_000

const domain = (name: string, ...hosts: readonly string[]): Domain => ({ domain: name, mx: hosts.map((host, n) => [(n + 1) * 10, host] as const) })

const google: IspRow = {
  name: 'google',
  hosts: ['gmail-smtp-in.l.google.com', 'alt1.gmail-smtp-in.l.google.com', 'aspmx.l.google.com', 'alt1.aspmx.l.google.com'],
  domains: [
    domain('gmail.com', 'gmail-smtp-in.l.google.com', 'alt1.gmail-smtp-in.l.google.com'),
    domain('googlemail.com', 'gmail-smtp-in.l.google.com', 'alt1.gmail-smtp-in.l.google.com'),
    // a customer of Google Workspace: the same provider, seen only through its MX
    domain('workspace-customer.example', 'aspmx.l.google.com', 'alt1.aspmx.l.google.com'),
  ],
  ehlo: [...MODERN, 'SMTPUTF8'],
  idleMs: IDLE_MS,
  behaviours: [
    sessionCap(5, reply(421, '4.7.0', 'Too many SMTP sessions for this host, please try again later.')),
    connectRate({ connects: 200, overMs: 60_000 }),
    tlsOffered(),
    tlsRequired(reply(530, '5.7.0', 'Must issue a STARTTLS command first. gsmtp')),
    mailsPerSession(50),
    mailRate(
      { mails: 2400, overMs: 2000 },
      reply(
        421,
        '4.7.28',
        'Gmail has detected an unusual rate of mail originating from your IP address. To protect our users from spam, mail has been temporarily rate limited. gsmtp',
      ),
    ),
    rcptsPerMail(100),
    unknownUser(
      reply(
        550,
        '5.1.1',
        'The email account that you tried to reach does not exist. Please try',
        "double-checking the recipient's email address for typos or unnecessary spaces. gsmtp",
      ),
    ),
    mailboxFull('rcpt', reply(452, '4.2.2', 'The email account that you tried to reach is over quota. gsmtp')),
  ],
}

const yahoo: IspRow = {
  name: 'yahoo',
  hosts: ['mta5.am0.yahoodns.net', 'mta6.am0.yahoodns.net', 'mta7.am0.yahoodns.net'],
  domains: ['yahoo.com', 'aol.com'].map(
    (name): Domain => ({
      domain: name,
      mx: [
        [1, 'mta5.am0.yahoodns.net'],
        [1, 'mta6.am0.yahoodns.net'],
        [1, 'mta7.am0.yahoodns.net'],
      ],
    }),
  ),
  ehlo: MODERN,
  idleMs: IDLE_MS,
  behaviours: [
    sessionCap(10, reply(421, '4.7.0', '[TSS04] Too many concurrent connections from your host')),
    tlsOffered(),
    silentClose(20),
    rcptsPerMail(30),
    unknownUser(reply(554, null, 'delivery error: dd This user does not have a yahoo.com account')),
    mailboxFull('rcpt', reply(452, '4.2.2', 'Mailbox over quota')),
    reputation({
      unknowns: 50,
      overMs: 30_000,
      blockMs: 3000,
      says: reply(
        421,
        '4.7.0',
        '[TSS04] Messages from your host temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
      ),
    }),
  ],
}

const yahooJp: IspRow = {
  name: 'yahoo-jp',
  hosts: ['mx1.mail.yahoo.co.jp', 'mx2.mail.yahoo.co.jp', 'mx3.mail.yahoo.co.jp', 'mx5.mail.yahoo.co.jp'],
  domains: [domain('yahoo.co.jp', 'mx1.mail.yahoo.co.jp', 'mx2.mail.yahoo.co.jp', 'mx3.mail.yahoo.co.jp', 'mx5.mail.yahoo.co.jp')],
  ehlo: ['PIPELINING', 'SIZE 41943040', '8BITMIME'],
  idleMs: IDLE_MS,
  behaviours: [
    sessionCap(2, reply(421, null, 'Too many connections from your host. VS98-IP0')),
    noTls(),
    mailsPerSession(20, reply(421, null, 'Too many messages in this session. VS98-IP0')),
    // 10/s and a fifth of slack, judged over three seconds
    mailRate({ mails: 36, overMs: 3000 }, reply(421, '4.7.0', '[TSS04] Messages from your host temporarily deferred due to unexpected volume')),
    unknownAfterDot(reply(554, null, "delivery error: dd This user doesn't have a yahoo.co.jp account [0] - mta")),
    mailboxFull('dot', reply(552, '5.2.2', 'delivery error: dd Requested mail action aborted, mailbox full')),
  ],
}

const outlook: IspRow = {
  name: 'outlook',
  hosts: ['outlook-com.olc.protection.outlook.com', 'hotmail-com.olc.protection.outlook.com'],
  domains: [domain('outlook.com', 'outlook-com.olc.protection.outlook.com'), domain('hotmail.com', 'hotmail-com.olc.protection.outlook.com')],
  ehlo: MODERN,
  idleMs: IDLE_MS,
  behaviours: [
    sessionCap(5, reply(451, '4.7.652', 'The mail server has exceeded the maximum number of connections. (S3115)')),
    tlsOffered(),
    mailsPerSession(50),
    rcptsPerMail(100),
    unknownUser(reply(550, '5.5.0', 'Requested action not taken: mailbox unavailable (S2017062302).')),
    mailboxFull('rcpt', reply(452, '4.2.2', 'Mailbox full')),
    reputation({
      unknowns: 50,
      overMs: 30_000,
      blockMs: 3000,
      says: reply(
        550,
        '5.7.1',
        "Unfortunately, messages from your host weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
      ),
    }),
  ],
}

const docomo: IspRow = {
  name: 'docomo',
  hosts: ['mfsmax.docomo.ne.jp'],
  domains: [domain('docomo.ne.jp', 'mfsmax.docomo.ne.jp')],
  ehlo: CARRIER,
  idleMs: IDLE_MS,
  behaviours: [
    sessionCap(4),
    noTls(),
    noPipelining(),
    mailsPerSession(50),
    sessionRcptTrap(100, reply(554, null, 'Transaction failed: too many recipients in this session')),
    rcptsPerMail(100, reply(552, null, 'Too many recipients')),
    unknownUser(reply(550, null, 'Unknown user')),
    mailboxFull('dot', reply(552, null, 'Too much mail data')),
    reputation({ unknowns: 30, overMs: 30_000, blockMs: 3000, says: reply(421, null, 'Service not available, too many unknown users') }),
  ],
}

const orange: IspRow = {
  name: 'orange',
  hosts: ['smtp-in.orange.fr'],
  domains: [domain('orange.fr', 'smtp-in.orange.fr'), domain('wanadoo.fr', 'smtp-in.orange.fr')],
  ehlo: MODERN,
  idleMs: IDLE_MS,
  behaviours: [
    sessionCap(2, reply(421, null, 'Service refuse. Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104')),
    tlsOffered(),
    tlsRequired(),
    mailsPerSession(100, reply(421, null, 'Trop de messages dans cette session. OFR004_105')),
    rcptsPerMail(100),
    refusedPerSession(20, reply(421, null, "Trop d'erreurs. OFR_999")),
    unknownUser(reply(550, '5.1.1', 'Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416')),
    mailboxFull('rcpt', reply(552, '5.2.2', 'Boite du destinataire pleine. Recipient overquota. OFR_417')),
  ],
}

export const PROVIDERS: readonly IspRow[] = [google, yahoo, yahooJp, outlook, docomo, orange]
