// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf } from '../rule.ts'
import { BAD_SETUP, CROWDED, FULL, GREY, SPAM, UNAUTHENTICATED, UNKNOWN, crowd, disliked, domainDisliked, listed, tooFast } from '../then.ts'

export const AMERICAS = [
  ...rowsOf(
    ['comcast'],
    [
      { id: 'comcast/sessions', seen: '421 resimta-ch2-22v.sys.comcast.net comcast 203.0.113.7 Too many sessions opened', when: /too many sessions open/i, then: crowd() },
      { id: 'comcast/rl', seen: '421 resimta-ch2-22v.sys.comcast.net comcast Try again later - http://postmaster.comcast.net/smtp-error-codes.php#RL000010', when: /#rl0\d{5}/i, then: tooFast({ restMs: 30 * MINUTE_MS }) },
      { id: 'comcast/bl', seen: '554 resimta-po-11v.sys.comcast.net resimta-po-11v.sys.comcast.net 203.0.113.7 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000010', when: /#bl0\d{5}/i, then: listed() },
      { id: 'comcast/es', seen: '554 resimta-po-11v.sys.comcast.net 203.0.113.7 is a dynamic address, see http://postmaster.comcast.net/smtp-error-codes.php#ES000010', when: /#es0\d{5}/i, then: listed() },
      { id: 'comcast/dmarc', seen: '550 5.2.0 Message rejected due to DMARC. Please see http://postmaster.comcast.net/smtp-error-codes.php#DM000001', when: /#dm0\d{5}/i, then: UNAUTHENTICATED },
      { id: 'comcast/not-customer', seen: '550 5.1.1 Not our Customer', when: /not our customer/i, then: UNKNOWN },
      { id: 'comcast/ptr', seen: '421 imta25.westchester.pa.mail.comcast.net comcast Reverse DNS failure: Try again later.', when: /reverse dns failure/i, then: BAD_SETUP },
    ],
  ),
  ...rowsOf(
    ['uol', 'terra'],
    [
      { id: 'brazil/unknown-share', seen: '421 4.7.1 Muitos destinatarios invalidos a partir do IP 203.0.113.7, tente mais tarde', when: /muitos destinat.rios inv.lidos/i, then: disliked({ restMs: 2 * HOUR_MS }) },
      { id: 'brazil/blocked', seen: '554 5.7.1 IP 203.0.113.7 bloqueado por envio de spam', when: /bloqueado por envio de spam/i, then: listed() },
      { id: 'brazil/full', seen: '552 5.2.2 Caixa postal do destinatario cheia', when: /caixa postal .{0,40}cheia/i, then: FULL },
    ],
  ),
  ...rowsOf(
    ['rackspace'],
    [
      { id: 'rackspace/concurrent', seen: '421 Too many concurrent connections from this client (G2)', when: /\(g2\)/i, then: crowd() },
      { id: 'rackspace/new-ip', seen: '451 4.7.1 Received too many messages from a new or untrusted IP (G28)', when: /\(g28\)/i, then: tooFast({ restMs: HOUR_MS }) },
      { id: 'rackspace/user-rate', seen: '450 4.2.1 <taro@example.com>: Mailbox received too much email in a short period of time (G30)', when: /\(g30\)/i, then: CROWDED },
      { id: 'rackspace/ptr', seen: '450 4.7.1 Client host 203.0.113.7 has no PTR record (G1F)', when: /\(g1f\)/i, then: BAD_SETUP },
    ],
  ),
  ...rowsOf(
    ['cloudflare-routing'],
    [
      { id: 'cloudflare/upstream', seen: '451 4.3.0 Upstream error, please check https://developers.cloudflare.com/email-routing/postmaster/#upstream', when: /upstream error/i, then: { class: 'site-busy', blames: 'domain' } },
      { id: 'cloudflare/spam', seen: '550 5.7.1 Message is spam. See https://developers.cloudflare.com/email-routing/postmaster/#spam', when: /postmaster\/#spam/i, then: SPAM },
      { id: 'cloudflare/unauthenticated', seen: '550 5.7.26 The MailFrom domain has no valid SPF and no DKIM, see https://developers.cloudflare.com/email-routing/postmaster/', when: { enhanced: '5.7.26' }, then: UNAUTHENTICATED },
    ],
  ),
  ...rowsOf(
    ['zoho', 'fastmail', 'proton', 'ovh'],
    [
      { id: 'hosted/domain-listed', seen: '554 5.7.1 Sending domain acme.example is listed in our reputation service', when: /domain .{0,80}listed in our reputation/i, then: domainDisliked({ restMs: 4 * HOUR_MS }) },
      { id: 'zoho/grey', seen: '451 4.7.1 Greylisted, please try again after 300 seconds', when: /^greylisted, please/i, then: GREY },
    ],
  ),
]
