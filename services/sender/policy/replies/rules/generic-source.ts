// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, type Rule } from '../rule.ts'
import { BAD_SETUP, GREY, OUR_FAULT, SPAM, UNAUTHENTICATED, crowd, disliked, domainDisliked, listed, tooFast } from '../then.ts'

/** KumoMTA's answer to replies that name our address: 90 min, then recover. */
const DISLIKED = disliked({ restMs: 90 * MINUTE_MS })

/** What any mail server may say about our address: lists, set-up, rate, sessions, greylisting. */
export const GENERIC_SOURCE: readonly Rule[] = [
  // Greylists by way of a DNS list come first: the same words otherwise mean a block.
  { id: 'grey/dnsbl', seen: '421 4.7.1 Service unavailable; Client host [203.0.113.7] blocked using grey.rbl - Greylisting in action, please try again later', when: /blocked using grey|greylisting in action/i, then: GREY },
  { id: 'grey/word', seen: '450 4.2.0 <taro@example.com>: Recipient address rejected: Greylisted for 5 minutes, see http://postgrey.schweikert.ch/help/example.com.html', when: /gr[ae]y-?list/i, then: GREY },
  { id: 'grey/refused', seen: '550 5.7.1 Greylisted, please come back later', when: /gr[ae]y-?list(ed|ing)/i, then: GREY },
  { id: 'grey/retry-in', seen: '451 4.7.1 Please try again in 300 seconds', when: /(try|retry) (again )?in \d{1,5} ?(s|m|h)/i, then: GREY },
  { id: 'grey/first-time', seen: '451 4.7.1 First time sender, resend this message later', when: /first[- ]time sender|unknown triplet|not yet authorized to deliver/i, then: GREY },

  // Many unknown users rest an address for a while; the block they speak of ends by itself.
  { id: 'source/too-many-unknown', seen: '421 4.7.1 Too many invalid recipients from your address, try again later', when: /(too many|excessive) (invalid|unknown|bad) (recipient|user|rcpt)|because (of )?your (host|server|ip|network)/i, then: DISLIKED },
  { id: 'source/too-many-unknown-refused', seen: '550 Too many invalid recipients', when: /(too many|excessive) (invalid|unknown|bad) (recipient|user|rcpt)|because (of )?your (host|server|ip|network)/i, then: DISLIKED },

  // A list of domains or links is about what we say, not where we say it from.
  { id: 'list/sender-domain', seen: '554 5.7.1 Service unavailable; Sender address [news@acme.example] blocked using dbl.spamhaus.org; https://www.spamhaus.org/query/domain/acme.example', when: /dbl\.spamhaus\.org|sender address .{0,90}blocked using/i, then: domainDisliked({ restMs: 4 * HOUR_MS }) },
  { id: 'list/sender-domain-query', seen: '554 5.7.1 Sender domain listed, see https://www.spamhaus.org/query/domain/acme.example', when: /spamhaus\.org\/query\/(domain|dbl)/i, then: domainDisliked({ restMs: 4 * HOUR_MS }) },
  { id: 'list/url', seen: '554 5.7.1 Message contains a URL listed on multi.surbl.org', when: /(surbl|uribl)\.(org|com)|url(s)? listed|blacklisted url/i, then: SPAM },
  { id: 'list/barracuda', seen: '554 Service unavailable; Client host [203.0.113.7] blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?r=1&ip=203.0.113.7', when: /barracuda ?(networks|reputation|central)/i, then: listed() },
  { id: 'list/cloudmark', seen: '550 5.7.1 Rejected, see http://csi.cloudmark.com/reset-request/?ip=203.0.113.7', when: /csi\.cloudmark\.com/i, then: listed() },
  { id: 'list/spamhaus', seen: '550 203.0.113.7 refused, see https://www.spamhaus.org/query/ip/203.0.113.7', when: /spamhaus/i, then: listed() },
  { id: 'list/spamcop', seen: '554 5.7.1 Rejected: http://www.spamcop.net/bl.shtml?203.0.113.7', when: /spamcop/i, then: listed() },
  { id: 'list/blocked-using', seen: '554 5.7.1 Service unavailable; Client host [203.0.113.7] blocked using bl.example.org', when: /\b(client host|client|ip)\b.{0,60}blocked (using|by)/i, then: listed() },
  { id: 'list/blocked-using-deferred', seen: '454 4.7.1 Service unavailable; Client host [203.0.113.7] blocked using dnsbl.example.org', when: /\b(client host|client|ip)\b.{0,60}blocked (using|by)/i, then: DISLIKED },
  { id: 'list/blacklisted', seen: '550 5.7.1 Your IP 203.0.113.7 is blacklisted', when: /(\b(ip|host|server)\b|your address|you are).{0,60}(black|block|deny)-?listed|(\bip\b|\d\.\d{1,3}\]?) .{0,30}\bour (black|block|deny)-?list/i, then: listed() },
  { id: 'list/listed-at', seen: '550 5.7.1 Rejected: 203.0.113.7 listed at bl.example.org', when: /(\d|\]) (is )?(listed (at|in|on|by)|found in|in an? (rbl|black ?list))/i, then: listed() },
  { id: 'list/host-blocked', seen: '554 5.7.1 Client host [203.0.113.7] blocked', when: /client host \[?[0-9a-f.:]{2,45}\]? (is )?(blocked|refused)|\d\]? (is |was |has been )?blocked by/i, then: listed() },
  { id: 'list/found-on', seen: '550 5.7.1 Your address was found on a block list', when: /found (in|on) (a|an|our|the) .{0,20}(block|black|deny) ?list/i, then: listed() },
  { id: 'list/dnsbl', seen: '550 Rejected due to DNSBL server response (203.0.113.7)', when: /dnsbl|\brbl\b|real-?time block ?list|dns black ?list/i, then: listed() },
  { id: 'list/delisting', seen: '550 5.7.1 Connection refused. To request delisting write to postmaster@example.com', when: /delist|request removal|removal request|to unblock/i, then: listed() },
  { id: 'source/poor-reputation', seen: "554 mx1.example.com Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this failure is in error, please contact the intended recipient via alternate means.", when: /sending mta's poor reputation/i, then: listed() },
  { id: 'source/access-rejected', seen: '550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.', when: /your access to (submit messages|this mail)/i, then: listed() },
  { id: 'source/reputation', seen: '550 5.7.1 Message refused: bad reputation of 203.0.113.7', when: /(bad|poor|low) (ip )?reputation|reputation (is )?(too )?(bad|poor|low)/i, then: DISLIKED },
  { id: 'source/reputation-deferred', seen: '451 4.7.1 Temporarily rate limited due to IP reputation', when: /(bad|poor|low|ip) reputation|reputation (is )?(too )?(bad|poor|low)/i, then: DISLIKED },
  { id: 'source/banned', seen: '550 5.7.1 Your IP 203.0.113.7 has been banned', when: /(\b(ip|host|server)\b|you).{0,50}(are|is|been) (banned|blocked)/i, then: listed() },
  { id: 'source/not-welcome', seen: '554 5.7.1 You are not allowed to connect', when: /not allowed to connect|not welcome|connections? (from .{1,60} )?(not|will not be) accepted/i, then: listed() },
  { id: 'source/dynamic', seen: '550 5.7.1 Dynamic IP addresses are not accepted', when: /(dynamic|residential) (ip|address|range)|dial-?up/i, then: listed() },
  { id: 'source/geography', seen: '554 5.7.1 Connections from your country are refused', when: /your country|geographical location|geoip/i, then: listed() },
  { id: 'source/deferred', seen: '421 4.7.0 Messages from 203.0.113.7 temporarily deferred due to user complaints', when: /(messages|mail) from .{1,50}(temporarily deferred|was deferred)/i, then: DISLIKED },
  { id: 'source/permanently-deferred', seen: '421 4.7.1 All messages from 203.0.113.7 will be permanently deferred; Retrying will NOT succeed', when: /will be permanently deferred/i, then: DISLIKED },
  { id: 'source/not-sent', seen: "550 Unfortunately, messages from 203.0.113.7 weren't sent. Please contact your Internet service provider since part of their network is on our list", when: /messages from .{1,60}weren't sent/i, then: listed() },
  { id: 'source/server-busy', seen: '450 4.7.0 Server busy. Please try again later from 203.0.113.7', when: /server busy\. please try again later from/i, then: DISLIKED },
  { id: 'source/unusual', seen: '421 4.7.0 Unusual traffic pattern from your network', when: /(unusual|suspicious) (traffic|activity|rate)/i, then: DISLIKED },
  { id: 'source/too-many-errors', seen: '421 4.7.0 mx1.example.com Error: too many errors', when: /too many (protocol )?errors/i, then: { class: 'session-end', blames: 'nobody', outcome: 'deferred' } },

  { id: 'setup/ptr', seen: '550 5.7.1 Client host rejected: cannot find your hostname, [203.0.113.7]', when: /cannot find your (reverse )?hostname|(reverse|ptr).{0,40}(missing|required|not found|fail|lookup|invalid|record)|no (valid |matching )?(ptr|reverse dns|rdns)|fcrdns/i, then: BAD_SETUP },
  { id: 'setup/ptr-deferred', seen: '450 4.7.25 Client host rejected: cannot find your reverse hostname, [203.0.113.7]', when: /cannot find your (reverse )?hostname|(reverse|ptr).{0,40}(missing|required|not found|fail|lookup|invalid|record)|no (valid |matching )?(ptr|reverse dns|rdns)|fcrdns/i, then: BAD_SETUP },
  { id: 'setup/helo', seen: '550 5.7.1 <mx7.hato.example>: Helo command rejected: Host not found', when: /(helo|ehlo) .{0,40}(rejected|invalid|not found|refused|required|does not (resolve|match|exist))|(invalid|bad|bogus) (helo|ehlo)/i, then: BAD_SETUP },
  { id: 'setup/helo-deferred', seen: '450 4.7.1 <mx7.hato.example>: Helo command rejected: Host not found', when: /(helo|ehlo) .{0,40}(rejected|invalid|not found|refused|required|does not (resolve|match|exist))|(invalid|bad|bogus) (helo|ehlo)/i, then: BAD_SETUP },


  { id: 'connections/too-many', seen: '421 4.7.0 mx1.example.com Error: too many connections from 203.0.113.7', when: /too many ((concurrent|simultaneous|smtp|open|active|tcp) ){0,3}(connections|sessions)/i, then: crowd() },
  { id: 'connections/too-many-refused', seen: '554 5.7.0 Too many simultaneous connections from your host', when: /too many ((concurrent|simultaneous|smtp|open|active|tcp) ){0,3}(connections|sessions)/i, then: crowd() },
  { id: 'connections/limit', seen: '421 4.7.0 Maximum number of concurrent connections exceeded', when: /(max(imum)?|limit|number).{0,40}(connections|sessions).{0,30}(exceed|reach)|exceed.{0,40}(connection|session)/i, then: crowd() },
  { id: 'connections/limit-refused', seen: '550 Connection limit exceeded for your address', when: /connection limit exceeded|concurrent connection/i, then: crowd() },
  { id: 'connections/busy-ip', seen: '421 Your IP has too many mails in process, open fewer connections', when: /(open )?fewer connections/i, then: crowd() },

  { id: 'rate/connections', seen: '421 4.7.0 mx1.example.com Error: too frequent connects from 203.0.113.7, please try again later', when: /too frequent connect|connection (rate|frequency)|connecting too (often|fast)/i, then: tooFast({ restMs: 10 * MINUTE_MS }) },
  { id: 'rate/messages', seen: '450 4.7.1 Error: too much mail from 203.0.113.7', when: /too (much|many) (mail|e-?mails?|messages)/i, then: tooFast({ restMs: 30 * MINUTE_MS }) },
  { id: 'rate/messages-refused', seen: '550 5.7.1 Too many messages from your address today', when: /too (much|many) (mail|e-?mails?|messages)/i, then: tooFast({ restMs: HOUR_MS }) },
  { id: 'rate/submission', seen: '421 4.4.2 Message submission rate for this client has exceeded the limit', when: /submission rate .{0,60}exceeded/i, then: tooFast({ restMs: 10 * MINUTE_MS }) },
  { id: 'rate/limit', seen: '452 4.3.1 Rate limit exceeded, try again later', when: /rate.?limit|throttl|slow down|(hourly|daily|sending|message) (limit|quota).{0,30}(exceed|reach)|exceeded .{0,40}(rate|(message|sending|hourly|daily) limit)/i, then: tooFast({ restMs: 10 * MINUTE_MS }) },
  { id: 'rate/limit-refused', seen: '550 5.7.1 Sending rate limit reached for 203.0.113.7', when: /rate.?limit|throttl|slow down/i, then: tooFast({ restMs: HOUR_MS }) },
  { id: 'rate/frequency', seen: '450 4.7.1 Frequency of messages is too high', when: /frequency .{0,30}(high|limit)|too (fast|quickly|often)/i, then: tooFast({ restMs: 10 * MINUTE_MS }) },

  // Postfix's words for whom its access table or its policy server refuses.
  { id: 'list/client-rejected', seen: '554 5.7.1 <mx7.hato.example[203.0.113.7]>: Client host rejected: Access denied', when: /client host rejected/i, then: listed() },
  { id: 'list/client-rejected-deferred', seen: '450 4.7.1 <mx7.hato.example[203.0.113.7]>: Client host rejected: try again', when: /client host rejected/i, then: DISLIKED },

  { id: 'sender/spf', seen: '550 5.7.1 SPF check failed for news@acme.example', when: /\bspf\b|sender policy framework/i, then: UNAUTHENTICATED },
  { id: 'sender/dmarc', seen: '550 5.7.1 Message rejected: DMARC policy of acme.example', when: /\bdmarc\b/i, then: UNAUTHENTICATED },
  { id: 'sender/dkim', seen: '550 5.7.20 No passing DKIM signature found', when: /\bdkim\b|domainkeys/i, then: UNAUTHENTICATED },
  { id: 'sender/dkim-deferred', seen: '451 4.7.5 DKIM, SPF or DMARC check could not be completed', when: /\b(dkim|spf|dmarc)\b/i, then: UNAUTHENTICATED },
  { id: 'sender/unauthenticated', seen: '550 5.7.1 Unauthenticated mail is prohibited', when: /unauthenticated (e-?mail|mail|message|sender)|fails to pass authentication/i, then: UNAUTHENTICATED },
  { id: 'us/sender-syntax', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '501 5.1.7 Bad sender address syntax: <news@>', when: /sender.{0,20} syntax/i, then: OUR_FAULT },
  { id: 'sender/no-domain', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '550 5.1.8 <news@acme.example>: Sender address rejected: Domain not found', when: /sender.{0,60}(domain not found|does not exist|not exist|unresolvable|no mx|invalid domain)|domain of (the )?sender|sender('s)? domain|\bfrom\b.{0,60}domain.{0,20}(not exist|not found)|(address|domain) you send from/i, then: UNAUTHENTICATED },
  { id: 'sender/no-domain-deferred', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '450 4.1.8 <news@acme.example>: Sender address rejected: Domain not found', when: /sender.{0,60}(domain not found|does not exist|not exist|unresolvable|no mx|invalid domain)|domain of (the )?sender|sender('s)? domain|\bfrom\b.{0,60}domain.{0,20}(not exist|not found)|(address|domain) you send from/i, then: UNAUTHENTICATED },
  { id: 'sender/callback', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '550 5.1.7 Sender verify failed', when: /sender (verify|verification|callout|callback)( .{0,20})? ?fail|could not verify sender|sender address.{0,40}(undeliverable|unverified)/i, then: OUR_FAULT },
  { id: 'sender/callback-deferred', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '451 Could not complete sender verify callout', when: /sender (verify|verification|callout|callback)|could not verify sender|sender address.{0,40}(undeliverable|unverified)/i, then: OUR_FAULT },
  { id: 'sender/badmailfrom', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)', when: /badmailfrom/i, then: domainDisliked({ restMs: HOUR_MS }) },
  { id: 'sender/account', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '550 5.7.1 The sender account news@acme.example is suspended', when: /sender('s)? (account|address|domain|mailbox).{0,90}(disabled|suspended|blocked|banned)/i, then: domainDisliked({ restMs: HOUR_MS }) },
  { id: 'sender/rejected', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '553 5.1.8 <news@acme.example>: Sender address rejected: not wanted here', when: /sender (address )?(rejected|refused|denied|blocked|black ?listed|not (allowed|accepted))|(invalid|bad|rejected|blocked) sender/i, then: domainDisliked({ restMs: HOUR_MS }) },
]
