/** Replies as providers were seen to give them, to be said on request: `say-google-dkim@anywhere`. Sources: the samples
 *  in the providers' facts. The stage is where the provider says it. */
import { reply, type Reply } from './reply.ts'

type Saying = { readonly stage: 'rcpt' | 'data' | 'dot'; readonly reply: Reply }

export const SAYINGS = {
  'google-rate': {
    stage: 'dot',
    reply: reply(
      421,
      '4.7.28',
      'Gmail has detected an unusual rate of mail originating from your IP address. To protect our users from spam, mail has been temporarily rate limited.',
    ),
  },
  'google-dkim': {
    stage: 'dot',
    reply: reply(
      421,
      '4.7.28',
      'Gmail has detected an unusual rate of mail originating from your DKIM domain. To protect our users from spam, mail has been temporarily rate limited.',
    ),
  },
  'google-content': {
    stage: 'dot',
    reply: reply(
      550,
      '5.7.1',
      'Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.',
    ),
  },
  'google-user-rate': {
    stage: 'rcpt',
    reply: reply(450, '4.2.1', 'The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.'),
  },
  'google-full': { stage: 'rcpt', reply: reply(452, '4.2.2', 'The email account that you tried to reach is over quota.') },
  'outlook-s3150': {
    stage: 'rcpt',
    reply: reply(
      550,
      '5.7.1',
      "Unfortunately, messages from [source] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
    ),
  },
  'outlook-rate': { stage: 'rcpt', reply: reply(451, '4.7.650', 'The mail server [source] has been temporarily rate limited due to IP reputation.') },
  'outlook-sender': { stage: 'dot', reply: reply(550, '5.7.515', 'Access denied, sending domain does not meet the required authentication level.') },
  '365-tenant': { stage: 'rcpt', reply: reply(550, '5.4.1', 'Recipient address rejected: Access denied.') },
  'yahoo-tss04': {
    stage: 'rcpt',
    reply: reply(421, '4.7.0', '[TSS04] Messages from source temporarily deferred due to unexpected volume or user complaints - 4.16.55.1'),
  },
  'docomo-full': { stage: 'dot', reply: reply(552, null, 'Too much mail data') },
  'docomo-recipients': { stage: 'rcpt', reply: reply(552, null, 'Too many recipients') },
  'orange-connections': {
    stage: 'rcpt',
    reply: reply(421, null, 'Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104'),
  },
  'mimecast-grey': { stage: 'rcpt', reply: reply(451, null, 'Internal resource temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451') },
  spam: { stage: 'dot', reply: reply(554, '5.7.1', 'Message rejected due to content') },
  'tonline-bl': {
    stage: 'rcpt',
    reply: reply(554, null, 'IP=source - A problem occurred. Ask your postmaster for help or to contact tosa@rx.t-online.de for reset. (BL)'),
  },
} as const satisfies Record<string, Saying>

export type SayingName = keyof typeof SAYINGS
