// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { BUSY, CLOSED, CROWDED, DISABLED, FULL, GREY, SESSION_END, SPAM, UNKNOWN, crowd, disliked, listed, tooFast } from '../then.ts'

export const EUROPE = [
  ...rowsOf(['kpn', 'netvigator'], [{ id: 'kpn/session', seen: '421 4.7.0 Too many messages for this session', when: /too many messages for this session/i, then: { ...SESSION_END, restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) } }]),
  ...rowsOf(
    ['bt', 'virginmedia', 'sky', 'telenet', 'libero', 'comcast', 'godaddy'],
    [
      // One make of gateway, many operators: the IB number is the gateway's.
      { id: 'bizsmtp/connections', seen: '421 mx.example bizsmtp Connection refused from 203.0.113.7 due to exceed max concurrent connections. IB007', when: /ib007|exceed max concurrent connections/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'bizsmtp/rate', seen: '421 mx.example bizsmtp Too many messages received from 203.0.113.7, please slow down. IB010', when: /too many messages received from/i, then: tooFast({ restMs: 30 * MINUTE_MS }) },
      { id: 'bizsmtp/ptr', seen: '554 mx.example bizsmtp Temporarily rejected. Reverse DNS for 203.0.113.7 failed. IB108', when: /reverse dns for .{1,45} failed/i, then: { class: 'reputation', blames: 'source', needsPerson: true } },
      { id: 'bizsmtp/listed', seen: '554 mx.example bizsmtp IB105. Connection refused. 203.0.113.7 is listed on the Exploits Block List (XBL) <http://www.spamhaus.org/query/ip/203.0.113.7>', when: /is listed on the .{1,60}block ?list/i, then: listed() },
      { id: 'bizsmtp/content', seen: '552 5.2.0 xK2a1n00F3 Message rejected for spam or virus content ;Please include this entire message when contacting support ;v=2.4', when: /rejected for spam or virus content/i, then: SPAM },
    ],
  ),
  ...rowsOf(
    ['wp-pl', 'onet', 'interia'],
    [
      { id: 'poland/limit', seen: '451 4.7.1 Przekroczono limit wiadomosci z adresu 203.0.113.7, sprobuj pozniej', when: /przekroczono limit/i, then: tooFast({ restMs: HOUR_MS }) },
      { id: 'poland/unknown', seen: '550 5.1.1 Nie ma takiego konta', when: /nie ma takiego (konta|uzytkownika)|konto nie istnieje/i, then: UNKNOWN },
      { id: 'poland/full', seen: '552 5.2.2 Skrzynka odbiorcy jest przepelniona', when: /skrzynka .{0,40}przepelniona/i, then: FULL },
      { id: 'poland/blocked', seen: '554 5.7.1 Twoj adres IP 203.0.113.7 jest zablokowany', when: /adres ip .{0,60}zablokowany/i, then: listed() },
    ],
  ),
  ...rowsOf(
    ['libero', 'telenet'],
    [{ id: 'libero/inactive', seen: '550 5.2.1 Mailbox disabled for this recipient', when: /mailbox disabled for this recipient/i, then: DISABLED }],
  ),
  ...rowsOf(['seznam'], [{ id: 'seznam/blocked', seen: '550 5.7.1 Server 203.0.113.7 is blocked due to spam, see http://napoveda.seznam.cz/', when: /is blocked due to spam/i, then: listed() }]),
  ...rowsOf(
    ['mailru'],
    [
      // After DATA, as Yahoo Japan.
      { id: 'mailru/unknown', stages: ['rcpt', 'dot'], seen: '550 Message was not accepted -- invalid mailbox.  Local mailbox taro@mail.ru is unavailable: user not found', when: /local mailbox .{0,80}user not found/i, then: UNKNOWN },
      { id: 'mailru/disabled', stages: ['rcpt', 'dot'], seen: '550 Message was not accepted -- invalid mailbox.  Local mailbox taro@mail.ru is unavailable: account is disabled', when: /local mailbox .{0,80}account is disabled/i, then: DISABLED },
      { id: 'mailru/full', seen: '552 5.2.2 Local mailbox taro@mail.ru is unavailable: user is overquota', when: /user is over ?quota/i, then: FULL },
      { id: 'mailru/spam', seen: '550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=0123 or report details to abuse@corp.mail.ru', when: /spam message (rejected|discarded)/i, then: SPAM },
      { id: 'mailru/ip', seen: '550 Access from ip address 203.0.113.7 blocked. Visit http://postmaster.mail.ru/', when: /access from ip address .{0,60}blocked/i, then: listed() },
      { id: 'mailru/rate', seen: '451 Ratelimit exceeded for ip 203.0.113.7. Try again later.', when: /ratelimit exceeded/i, then: tooFast({ restMs: HOUR_MS }) },
    ],
  ),
  ...rowsOf(
    ['yandex'],
    [
      { id: 'yandex/unavailable', seen: '451 4.7.1 Sorry, the service is currently unavailable. Please come back later. 1700000000-Ab1Cd2Ef', when: /service is currently unavailable\. please come back later/i, then: GREY },
      { id: 'yandex/unknown', seen: '550 5.7.1 No such user!', when: /no such user/i, then: UNKNOWN },
      { id: 'yandex/user-rate', seen: '451 4.5.1 The recipient <taro@yandex.ru> has exceeded their message rate limit. Try again later.', when: /recipient .{0,80}exceeded their message rate limit/i, then: CROWDED },
      { id: 'yandex/full', seen: '552 5.2.2 Mailbox size limit exceeded', when: /mailbox size limit exceeded/i, then: FULL },
      { id: 'yandex/spam', seen: '554 5.7.1 [1] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc 1700000000-Ab1Cd2Ef', when: /under suspicion of spam/i, then: SPAM },
      { id: 'yandex/target', seen: '550 5.7.1 Policy rejection on the target address', when: /policy rejection on the target address/i, then: CLOSED },
      { id: 'yandex/overload', seen: '421 4.3.2 Too many connections to this host at the moment, overloaded', when: /at the moment, overloaded/i, then: BUSY },
      { id: 'yandex/reputation', seen: '554 5.7.1 Blocked by reputation of 203.0.113.7, see http://feedback2.yandex.ru/', when: /blocked by reputation of/i, then: disliked({ restMs: 4 * HOUR_MS }) },
    ],
  ),
]
