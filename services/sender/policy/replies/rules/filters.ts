// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, rowsOf, times } from '../rule.ts'
import { BUSY, GREY, POLICY, SPAM, UNAUTHENTICATED, UNKNOWN, crowd, disliked, listed, tooFast } from '../then.ts'

/** Filters in front of many customers. Their own texts carry their name, wherever the appliance stands, so some rows name no provider. */
export const FILTERS = [
  ...rowsOf(
    ['mimecast'],
    [
      // Greylisting per (source, sender, recipient): another IP starts anew.
      { id: 'mimecast/grey', seen: '451 Internal resource temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451 [vH7Ns8biNg-p6EfZ0QaVMQ.us149]', when: /internal resources? (is |are )?temporarily unavailable/i, then: GREY },
      { id: 'mimecast/unknown', seen: '550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [vH7Ns8biNg-p6EfZ0QaVMQ.us149]', when: /^invalid recipient/i, then: UNKNOWN },
      { id: 'mimecast/reputation', seen: '550 csi.mimecast.org Poor Reputation Sender. - https://community.mimecast.com/docs/DOC-1369#550 [vH7Ns8biNg-p6EfZ0QaVMQ.us149]', when: /poor reputation sender/i, then: listed() },
      { id: 'mimecast/ct-reputation', seen: '550 Local CT IP Reputation - (reject) - https://community.mimecast.com/docs/DOC-1369#550', when: /ct ip reputation/i, then: disliked({ restMs: 4 * HOUR_MS }) },
      { id: 'mimecast/prohibited', seen: '550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550', when: /administrative prohibition/i, then: POLICY },
      { id: 'mimecast/blocked-senders', seen: '550 Rejected by header based manually Blocked Senders: news@acme.example - https://community.mimecast.com/docs/DOC-1369#550', when: /blocked senders/i, then: POLICY },
      { id: 'mimecast/anti-spoofing', seen: '550 Rejected by header based Anti-Spoofing policy - https://community.mimecast.com/docs/DOC-1369#550', when: /anti-?spoofing policy/i, then: POLICY },
      { id: 'mimecast/authentication', seen: '550 DMARC Sender Invalid - envelope rejected - https://community.mimecast.com/docs/DOC-1369#550', when: /(spf|dkim|dmarc) sender invalid/i, then: UNAUTHENTICATED },
      { id: 'mimecast/security', seen: '554 Email rejected due to security policies - https://community.mimecast.com/docs/DOC-1369#554', when: /rejected due to security policies/i, then: SPAM },
    ],
  ),
  ...rowsOf(
    ['proofpoint'],
    [
      { id: 'proofpoint/throttled', seen: '452 4.7.1 Connection throttled, try again later', when: /connection throttled/i, then: tooFast({ restMs: 10 * MINUTE_MS }) },
      { id: 'proofpoint/local-policy', seen: '550 5.7.0 Local Policy Violation', when: /local policy violation/i, then: POLICY },
      { id: 'proofpoint/pps', seen: '554 5.7.1 Rejected by PPS policy', when: /rejected by pps/i, then: SPAM },
    ],
  ),
  ...rowsOf(
    ['barracuda'],
    [
      { id: 'barracuda/blocked', seen: '550 permanent failure for one or more recipients (taro@example.com:blocked)', when: /permanent failure for one or more recipients .{0,90}:blocked/i, then: SPAM },
      { id: 'barracuda/unknown', seen: '550 permanent failure for one or more recipients (taro@example.com:550 5.1.1 unknown)', when: /permanent failure for one or more recipients .{0,90}:5\d\d 5\.1\.1/i, then: UNKNOWN },
      // What the customer's own server said lies between the brackets.
      { id: 'barracuda/backend', seen: '451 temporary failure for one or more recipients (taro@example.com:451 4.3.0 try later)', when: /temporary failure for one or more recipients/i, then: { class: 'site-busy', blames: 'domain' } },
      { id: 'barracuda/rate', seen: '450 4.7.1 Rate control: too many connections from 203.0.113.7 in the last 30 minutes', when: /rate control/i, then: tooFast({ restMs: 30 * MINUTE_MS }) },
    ],
  ),
  ...rowsOf(
    ['messagelabs'],
    [
      { id: 'messagelabs/policy', stages: ['greeting', 'ehlo', 'mail'], seen: '501 Connection rejected by policy [7.7] 15712, please visit www.messagelabs.com/support for more details about this error message.', when: /connection rejected by policy/i, then: listed() },
      { id: 'messagelabs/shaped', seen: '421 Service Temporarily Unavailable. Please visit www.messagelabs.com/support [3.4]', when: /^service temporarily unavailable/i, then: disliked({ restMs: 30 * MINUTE_MS, threshold: times(3).within(HOUR_MS) }) },
      { id: 'messagelabs/filtered', seen: '553 Message filtered. See www.messagelabs.com/support (#5.7.1)', when: /^message filtered/i, then: SPAM },
      { id: 'messagelabs/invalid', seen: '550 Invalid recipient <taro@example.com> (#5.1.1)', when: /^invalid recipient/i, then: UNKNOWN },
    ],
  ),
  ...rowsOf(
    ['iphmx'],
    [
      { id: 'iphmx/address', seen: '550 #5.1.0 Address rejected.', when: /^(#5\.1\.0 )?address rejected/i, then: UNKNOWN },
      { id: 'iphmx/hourly', seen: '452 Too many recipients received this hour', when: /too many recipients received this hour/i, then: tooFast({ restMs: HOUR_MS }) },
      { id: 'iphmx/sessions', seen: '421 #4.4.5 Too many TCP connections from this host.', when: /too many (tcp )?connections from this host/i, then: crowd() },
    ],
  ),
  ...rowsOf(
    ['trendmicro'],
    [
      { id: 'trendmicro/qil', seen: '450 4.7.1 <203.0.113.7>: Service temporarily unavailable; Blocked using Trend Micro Email Reputation Service, QIL', when: /trend micro .{0,40}qil/i, then: disliked({ restMs: HOUR_MS }) },
      { id: 'trendmicro/rbl', seen: '550 5.7.1 Service unavailable; Client host [203.0.113.7] blocked using Trend Micro RBL+. Please see http://www.mail-abuse.com/cgi-bin/lookup?ip_address=203.0.113.7', when: /trend micro rbl/i, then: listed() },
    ],
  ),
  ...rowsOf(['sophos'], [{ id: 'sophos/blocked', seen: '550 5.7.1 Message rejected by Sophos: IP on block list, see https://www.sophos.com/threat-center', when: /sophos.{0,40}block ?list/i, then: listed() }]),
  ...rowsOf(
    ['hornetsecurity'],
    [
      { id: 'hornetsecurity/envelope', seen: '554 5.7.1 Envelope blocked - please contact your administrator (antispameurope)', when: /envelope blocked/i, then: listed() },
      { id: 'hornetsecurity/busy', seen: '421 4.3.2 mx-gate Too busy (antispameurope)', when: /too busy/i, then: BUSY },
    ],
  ),
  ...rowsOf(
    ['antispamcloud'],
    [
      { id: 'antispamcloud/spam', seen: '550 High probability of spam', when: /high probability of spam/i, then: SPAM },
      { id: 'antispamcloud/grey', seen: '451 Temporarily deferred, first contact; please retry in 10 minutes', when: /first contact/i, then: GREY },
    ],
  ),
]
