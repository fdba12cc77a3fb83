// biome-ignore-all format: a row a line, so that the table reads as one
import type { Rule } from '../rule.ts'
import { AMBIGUOUS, CLOSED, CROWDED, DISABLED, FULL, NOT_SERVED, UNKNOWN } from '../then.ts'

/** One mailbox's matter whatever the words are, so before every row that could blame the site or us (4.2.1-slows-nobody-else). */
export const MAILBOX_FIRST: readonly Rule[] = [
  { id: 'rfc3463/4.2.1', seen: '450 4.2.1 <taro@example.com>', when: { enhanced: '4.2.1' }, then: CROWDED },
  { id: 'rfc3463/4.2.2', seen: '452 4.2.2 <taro@example.com>', when: { enhanced: '4.2.2' }, then: FULL },
  { id: 'rfc3463/5.2.2', seen: '552 5.2.2 <taro@example.com>', when: { enhanced: '5.2.2' }, then: FULL },
  { id: 'mailbox/crowded', seen: '450 4.7.1 <taro@example.com>: Recipient rate limit exceeded', when: /mail ?box.{0,40}too (many|much)|(this|the|your) recipient.{0,40}\brate\b|recipient.{0,20} rate limit/i, then: CROWDED },
]

/** What any mail server may say about one mailbox. Heard at RCPT, or after the dot where the check comes late. */
export const GENERIC_RECIPIENT: readonly Rule[] = [
  // Disabled, full and crowded before unknown: "mailbox unavailable: over quota" is not an unknown user.
  { id: 'mailbox/quota', seen: '552 <taro@example.com>: Recipient address rejected: over quota', when: /over ?-?(the |their |its |disk )?quota|quota (is )?(exceeded|full)|exceed.{0,40}quota|quota.{0,30}exceed|(disk|mailbox|storage) quota.{0,40}exhaust/i, then: FULL },
  { id: 'mailbox/quota-deferred', seen: '452 <taro@example.com> Mailbox over quota', when: /over ?-?(the |their |its |disk )?quota|quota (is )?(exceeded|full)|exceed.{0,40}quota|quota.{0,30}exceed/i, then: FULL },
  { id: 'mailbox/full', seen: '554 5.2.0 mailbox full', when: /(mail ?box|inbox|storage|account).{0,40}(is )?\bfull\b|mailfolder is full/i, then: FULL },
  { id: 'mailbox/full-deferred', seen: '450 taro@example.com: Mailbox is full', when: /(mail ?box|inbox|storage|account).{0,40}(is )?\bfull\b/i, then: FULL },
  { id: 'mailbox/storage', seen: '552 Requested mail action aborted: exceeded storage allocation', when: /exceeded storage allocation|insufficient (disk )?space in mailbox|storage limit/i, then: FULL },
  { id: 'mailbox/busy', seen: '450 4.2.0 <taro@example.com>: Mailbox busy, locked by another process', when: /mail ?box.{0,20}(busy|locked|in use)/i, then: CROWDED },
  { id: 'mailbox/disabled', seen: '550 5.2.1 <taro@example.com>: This account has been disabled or discontinued', when: /(account|mail ?box|user|recipient|address).{0,40}(disabled|deactivated|suspended|discontinued|expired|terminated|frozen)/i, then: DISABLED },
  { id: 'mailbox/closed', seen: '550 5.2.1 Mailbox for taro@example.com was closed by its owner', when: /(account|mail ?box).{0,60}(closed|cancell?ed|deleted|removed)/i, then: DISABLED },
  { id: 'mailbox/inactive', seen: '554 5.2.1 Inactive user', when: /inactive|not active|no longer (active|in use|available|valid|works|accept)/i, then: DISABLED },
  { id: 'mailbox/moved', seen: '551 5.1.6 User has moved with no forwarding address', when: /(user|recipient|mailbox) (has )?moved|address (has )?changed/i, then: DISABLED },
  { id: 'recipient/restricted', seen: '550 5.7.1 <list@example.com>: You are not allowed to post to this group', when: /not (allowed|permitted|authori[sz]ed) to (post|send|mail).{0,30}(group|list|recipient|mailbox)|restricted recipient|only accepts? (mail|messages) from|accepts? (mail|messages) only from|members only/i, then: CLOSED },
  { id: 'recipient/own-filter', seen: '550 5.7.1 Blacklisted by recipient', when: /(black|block)(listed|ed) by (the )?(recipient|user)|recipient (has )?(blocked|refused|rejects)\b/i, then: CLOSED },

  // Exchange's own names stand before its code: 5.1.10 is elsewhere a null MX.
  { id: 'exchange/not-found', seen: '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found', when: /resolver\.adr\.[a-z]{0,20}notfound/i, then: UNKNOWN },
  { id: 'exchange/restricted', seen: '550 5.7.1 RESOLVER.RST.NotAuthorized; not allowed', when: /resolver\.rst\./i, then: CLOSED },
  { id: 'unknown/validrcptto', seen: '553 sorry, this recipient is not in my validrcptto list', when: /not in my validrcptto/i, then: UNKNOWN },
  { id: 'unknown/named', seen: '550 User <taro@example.com> unknown.', when: /(user|recipient|mailbox|account) <[^ >]{1,120}> (is )?unknown/i, then: UNKNOWN },
  // Before the rows that read "…does not exist" as a mailbox.
  { id: 'relay/no-domain', seen: '550 5.1.2 The recipient domain example.com does not exist', when: /(recipient|destination)('s)? domain .{0,90}(does not|not) exist|no such domain/i, then: NOT_SERVED },

  { id: 'unknown/user', seen: '550 5.1.1 <taro@example.com>: Recipient address rejected: User unknown in local recipient table', when: /(user|recipient|account|mailbox|address|addressee) (is )?(unknown|not known)|unknown (user|recipient|account|mailbox|address|local)/i, then: UNKNOWN },
  { id: 'unknown/user-deferred', seen: '450 4.1.1 <taro@example.com>: Recipient address rejected: User unknown in virtual mailbox table', when: /(user|recipient|account|mailbox|address) (is )?unknown|unknown (user|recipient|mailbox)/i, then: UNKNOWN },
  { id: 'unknown/unverified', seen: '450 4.1.1 <taro@example.com>: Recipient address rejected: unverified address: Address verification in progress', when: /unverified address|verification in progress/i, then: { class: 'greylisted', blames: 'nobody' } },
  { id: 'unknown/no-such', seen: '550 No such user here', when: /no such (user|recipient|mailbox|address|account|person|local|email)/i, then: UNKNOWN },
  { id: 'unknown/no-mailbox', seen: '550 sorry, no mailbox here by that name. (#5.1.1)', when: /no mail ?box (here|by|for|with|found)|there is no .{0,30}(user|mail ?box|account)|#5\.1\.1/i, then: UNKNOWN },
  { id: 'unknown/does-not-exist', seen: '550 5.1.1 The recipient taro@example.com does not exist', when: /(user|recipient|account|mail ?box|address|email).{0,90}(does not|doesn't|do not|don't|not) exist|does not have an? .{0,30}account|doesn't have an? .{0,30}account/i, then: UNKNOWN },
  { id: 'unknown/not-found', seen: '550 5.1.1 Recipient not found. <taro@example.com>', when: /(user|recipient|account|mail ?box|address|alias) ([^ ]{1,100} )?(was |could )?not (be )?found|not (a )?known (user|recipient)/i, then: UNKNOWN },
  { id: 'unknown/invalid', seen: '550 Invalid mailbox: taro@example.com', when: /(invalid|bad|illegal|nonexistent|non-existent) (local )?(user|recipient|mail ?box|account|address|destination|rcpt|alias)|not a valid (user|recipient|mail ?box|address|account)/i, then: UNKNOWN },
  { id: 'unknown/nobody', seen: '550 5.1.1 Nobody by that name at this site', when: /(nobody|no one|noone) (by|with|of) that|not (a |our )(local )?(customer|user|subscriber)/i, then: UNKNOWN },
  { id: 'unknown/wrong-address', seen: '550 5.1.1 Address is wrong or undeliverable', when: /address.{0,40}undeliverable|unrouteable address|unroutable/i, then: UNKNOWN },
  { id: 'unknown/unavailable', seen: '550 5.1.0 Requested action not taken: mailbox unavailable', when: /mail ?box (is )?(unavailable|not available|inaccessible)|mailbox name not allowed/i, then: AMBIGUOUS },
  { id: 'unknown/rejected', seen: '550 5.1.0 <taro@example.com> recipient rejected', when: /(recipient|address|rcpt) (address )?rejected$|recipient rejected/i, then: AMBIGUOUS },

  { id: 'relay/denied', seen: '554 5.7.1 <taro@example.com>: Relay access denied', when: /rela(y|ying)( access)? (denied|not (permitted|allowed|authorized)|prohibited)|(unable|not (allowed|permitted)) to relay|we do(n't| not) relay|relaying disallowed/i, then: NOT_SERVED },
  { id: 'relay/denied-deferred', seen: '454 4.7.1 <taro@example.com>: Relay access denied', when: /rela(y|ying)( access)? (denied|not (permitted|allowed))/i, then: { ...NOT_SERVED, outcome: 'deferred' } },
  { id: 'relay/not-hosted', seen: '550 5.1.2 We do not host example.com', when: /(do not|don't|not) (host|serve|handle|accept mail for)|not (one of our|in my list of) |domain (is )?(not (found|hosted|configured)|unknown|isn't)|unknown domain/i, then: NOT_SERVED },
  { id: 'relay/loop', seen: '554 5.4.6 Too many hops', when: /too many hops|mail loop|loops? (back|detected)|routing loop|hop count/i, then: { class: 'no-such-domain', blames: 'domain' } },
]
