// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { BUSY, CLOSED, CROWDED, FULL, NOT_SERVED, POLICY, SESSION_END, SPAM, TOO_LARGE, UNAUTHENTICATED, UNKNOWN, busy, crowd, disliked, listed, tooFast } from '../then.ts'

/** Outlook.com and Microsoft 365 share the filter and most texts. Pages: sendersupport.olc.protection.outlook.com, learn.microsoft.com "NDR error codes". */
export const MICROSOFT = [
  ...rowsOf(
    ['outlook', 'office365'],
    [
      // A 550 that is ours, not the recipient's: reading it as an unknown user would empty every list (5xx-block-suppresses-nobody).
      { id: 'microsoft/s3150', seen: "550 5.7.1 Unfortunately, messages from [203.0.113.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [TY2APC01FT012.eop-APC01.prod.protection.outlook.com]", when: /weren't sent.{0,120}on our block list/i, then: listed({ restMs: 2 * HOUR_MS }) },
      { id: 'microsoft/hourly-limit', seen: "421 RP-001 (SNT004-MC1F54) Unfortunately, some messages from 203.0.113.7 weren't sent. Please try again. We have limits for how many messages can be sent per hour and per day.", when: /we have limits for how many messages can be sent/i, then: tooFast({ restMs: 30 * MINUTE_MS }) },
      { id: 'microsoft/rate-limited', seen: '451 4.7.650 The mail server [203.0.113.7] has been temporarily rate limited due to IP reputation. For e-mail delivery information see https://aka.ms/postmaster (S775) [BL2NAM02FT021.eop-nam02.prod.protection.outlook.com]', when: /has been temporarily rate limited/i, then: tooFast({ restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
      { id: 'microsoft/connections', seen: '451 4.7.652 The mail server [203.0.113.7] has exceeded the maximum number of connections. (S3115) [VI1EUR04FT058.eop-eur04.prod.protection.outlook.com]', when: /has exceeded the maximum number of connections/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'microsoft/per-connection', seen: '451 4.7.653 The mail server [203.0.113.7] has exceeded maximum number of messages per connection. (S3116)', when: /exceeded (the )?maximum number of messages per connection/i, then: SESSION_END },
      { id: 'microsoft/server-busy', seen: '451 4.7.500 Server busy. Please try again later from [203.0.113.7]. (S77719) [DB5EUR03FT034.eop-EUR03.prod.protection.outlook.com]', when: /server busy\. please try again later from/i, then: disliked({ restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
      { id: 'microsoft/access-denied-later', seen: '451 4.7.550 Access denied, please try again later [HE1EUR01FT046.eop-EUR01.prod.protection.outlook.com]', when: /access denied, please try again later/i, then: disliked({ restMs: HOUR_MS, threshold: times(5).within(HOUR_MS) }) },
      { id: 'microsoft/4.7.6xx', seen: '451 4.7.651 The mail server [203.0.113.7] has been throttled (S3114)', when: { enhanced: '4.7.651' }, then: tooFast({ restMs: 30 * MINUTE_MS }) },
      { id: 'microsoft/banned-ip', seen: '550 5.7.606 Access denied, banned sending IP [203.0.113.7]. To request removal from this list please visit https://sender.office.com/ and follow the directions. (AS16012609) [DB5EUR01FT031.eop-EUR01.prod.protection.outlook.com]', when: /banned sending ip/i, then: listed() },
      { id: 'microsoft/banned-sender', seen: '550 5.7.511 Access denied, banned sender[203.0.113.7]. To request removal from this list please forward this message to delist@messaging.microsoft.com. AS(508) [AM5EUR02FT019.eop-EUR02.prod.protection.outlook.com]', when: /access denied, banned sender/i, then: listed() },
      { id: 'microsoft/traffic-not-accepted', seen: '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more information please go to https://go.microsoft.com/fwlink/?LinkId=526653', when: /traffic not accepted from this ip/i, then: listed() },
      { id: 'microsoft/ipv6-limits', seen: '550 5.7.508 Access denied, [2001:db8::1] has exceeded permitted limits within 2001:db8::/64 range', when: /has exceeded permitted limits within/i, then: tooFast({ restMs: HOUR_MS }) },
      { id: 'microsoft/dnsbl', seen: '550 5.7.1 Service unavailable, Client host [203.0.113.7] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/203.0.113.7 (AS16012611) [TY1APC01FT003.eop-APC01.prod.protection.outlook.com]', when: /blocked using (spamhaus|fblw15|blocklist)/i, then: listed() },
      { id: 'microsoft/customer-list', seen: '550 5.7.513 Service unavailable, Client host [203.0.113.7] blocked by taro@example.jp using Customer Block list. (AS16012607)', when: /using customer block ?list/i, then: POLICY },
      { id: 'microsoft/auth-level', seen: "550 5.7.515 Access denied, sending domain acme.example doesn't meet the required authentication level. Spf= Fail , Dkim= Pass , DMARC= Pass", when: { enhanced: '5.7.515' }, then: UNAUTHENTICATED },
      { id: 'microsoft/dmarc', seen: '550 5.7.509 Access denied, sending domain acme.example does not pass DMARC verification and has a DMARC policy of reject.', when: { enhanced: '5.7.509' }, then: UNAUTHENTICATED },
      { id: 'microsoft/spf', seen: '550 5.7.23 The message was rejected because of Sender Policy Framework violation', when: { enhanced: '5.7.23' }, then: UNAUTHENTICATED },
      { id: 'microsoft/not-rfc5322', seen: '550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant', when: { enhanced: '5.7.512' }, then: SPAM },
      { id: 'microsoft/resolver', seen: '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient taro@example.jp not found by SMTP address lookup', when: /resolver\.adr\.(recipient|ex)?notfound/i, then: UNKNOWN },
      { id: 'microsoft/quota', seen: '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception', when: /quotaexceeded/i, then: FULL },
      { id: 'microsoft/recipient-threads', seen: '432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded [AM6PR01MB1234.eurprd01.prod.exchangelabs.com]', when: /recipient thread limit exceeded/i, then: CROWDED },
      { id: 'microsoft/recipient-size', seen: '550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient [Stage: OnResolved]', when: /resolver\.rst\.recipsizelimit/i, then: TOO_LARGE },
      { id: 'microsoft/group-only', seen: '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group', when: /resolver\.rst\./i, then: CLOSED },
      { id: 'microsoft/transport-rule', seen: '550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy', when: /transport\.rules\.rejectmessage/i, then: POLICY },
      { id: 'microsoft/attribution', seen: '550 5.7.64 TenantAttribution; Relay Access Denied SMTP. [VE1EUR03FT005.eop-EUR03.prod.protection.outlook.com]', when: /tenantattribution/i, then: NOT_SERVED },
      { id: 'microsoft/wrong-region', seen: '451 4.4.62 Mail sent to the wrong Office 365 region. ATTR35. [AM5EUR03FT052.eop-EUR03.prod.protection.outlook.com]', when: { enhanced: '4.4.62' }, then: { class: 'site-busy', blames: 'host' } },
      { id: 'microsoft/concurrent', seen: '421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel', when: /maximum number of concurrent (server )?connections/i, then: crowd() },
      { id: 'microsoft/ib007', seen: '421 Connection refused from 203.0.113.7 due to exceed max concurrent connections. IB007', when: /exceed max concurrent connections/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'microsoft/temporary', seen: '451 4.7.0 Temporary server error. Please try again later. PRX5 [TYZPR01CA0041.apcprd01.prod.exchangelabs.com]', when: /temporary server error\. please try again later/i, then: busy({ restMs: HOUR_MS, threshold: times(5).within(HOUR_MS) }) },
      { id: 'microsoft/insufficient', seen: '452 4.3.1 Insufficient system resources (TSTE) [SG2APC01FT041.eop-APC01.prod.protection.outlook.com]', when: /insufficient system resources/i, then: BUSY },
    ],
  ),
  ...rowsOf(['outlook'], [{ id: 'outlook/no-mailbox', seen: '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [BY2NAM05FT013.eop-nam05.prod.protection.outlook.com]', when: /requested action not taken: mailbox unavailable/i, then: UNKNOWN }]),
  ...rowsOf(
    ['office365'],
    [
      // Directory-based edge blocking says it for one user, a tenant whose domain is not set up says it for all: the tenant rests until
      // another recipient of it gets through; nobody is suppressed at once (365-tenant-5.4.1-rests-the-tenant).
      { id: 'office365/access-denied', seen: '550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB8EUR05FT027.eop-eur05.prod.protection.outlook.com]', when: { enhanced: '5.4.1', text: /access denied/i }, then: { class: 'ambiguous-user', blames: 'domain', restMs: HOUR_MS, suppress: true, outcome: 'deferred' } },
    ],
  ),
]
