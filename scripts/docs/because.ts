/**
 * "Why is my mail waiting?": every word that a wait can have as its reason, with what it means and what ends it.
 * The sets the code closes by type are closed here by type; the words written out in gates are held to this page by test/law/docs.test.ts.
 */
import type { GrantAnswer } from '../../protocol/messages/permission.ts'
import { formatDuration } from '../../protocol/duration.ts'
import { DEFAULT_RETRY, retryReason } from '../../protocol/retry.ts'
import { type Blame, REPLY_CLASSES, type ReplyClass } from '../../protocol/words.ts'
import { code, table } from './table.ts'

export interface Word {
  readonly means: string
  readonly ends: string
}

/** services/scheduler/releaser.ts `why`, due.ts: recipients that have not been handed to a router. */
export const RELEASE_WORDS = {
  paused: { means: 'a person paused the campaign', ends: 'resume it: `npx hato resume TENANT/ID`' },
  scheduled: { means: '`sendAt` has not come', ends: 'by itself, at `until`' },
  window: { means: "the campaign's daily hours (`window`) are closed", ends: 'by itself, at `until`' },
  'campaign-rate': { means: "the campaign's own `rate` is used up for now", ends: 'by itself, within a second or so' },
  'tenant-share': {
    means: "the tenant's mail brought blame on a shared pool at this site: its share there is halved",
    ends: 'by itself: a day without blame doubles it; `npx hato ip ADDRESS` shows the blame by tenant',
  },
  'daily-limit': { means: "the tenant's `daily_limit` of a rolling 24 h is used up", ends: 'by itself, at `until`' },
  'urgent-rate': { means: "the tenant's `urgent_rate` is used up: the urgent lane passes everybody else's mail", ends: 'by itself, within seconds' },
  'from-ramp': {
    means: 'the From domain is new to this provider: so many a day, twice as many each day (`[warmup] from_start`)',
    ends: 'by itself, at `until`',
  },
  'site-pace': { means: 'the site has as many recipients in hand as it takes in a few seconds', ends: 'by itself; `npx hato isp SITE` shows its pace' },
  sample: {
    means: 'a large campaign first shows a site a random 2 % of its recipients (250 at least); their outcomes are not in yet',
    ends: 'by itself, when nine of ten have one; or a breaker pauses the campaign there',
  },
  'dns-doubted': {
    means: 'the resolver says NXDOMAIN also for names that surely exist, so nothing it says is believed; nobody is bounced or suppressed for it',
    ends: 'by itself, once a control name resolves (`[suppression] control` in the fleet file); mend the resolver (`[network] dns`)',
  },
} as const satisfies Record<string, Word>

/** services/scheduler/key-keeper.ts: a campaign that is held everywhere (delivery.md §10). */
export const KEY_WORDS = {
  'dkim-key': {
    means: "DNS shows no RSA key any more that signs for the campaign's From; it said so twice, and nothing leaves unsigned",
    ends: 'publish the record that the event `paused` and `npx hato doctor` name; it goes on by itself when DNS shows it',
  },
} as const satisfies Record<string, Word>

/** services/scheduler/policy/breakers.ts: why a campaign was paused at one site, for a person (delivery.md §7). */
export const TRIP_WORDS: Readonly<Record<'unknown-users' | 'policy-blocks' | 'complaints', Word>> = {
  'unknown-users': {
    means: 'a breaker: more than 5 % of the last 500 results there were unknown users (3 % at carriers)',
    ends: 'a person: look at the list, then `npx hato resume TENANT/ID --site SITE`; the event `paused` has the figures',
  },
  'policy-blocks': {
    means: 'a breaker: more than 5 % of the last 500 results there were refused by policy (content, block, authentication)',
    ends: 'a person, likewise',
  },
  complaints: { means: 'a breaker: 0.3 % of what was delivered there were complained about', ends: 'a person, likewise' },
}

/** services/domain-router/policy/gates.ts and waits.ts: orders at a router. */
export const SITE_WORDS = {
  paused: { means: 'a person paused the site', ends: '`npx hato isp resume SITE`, or by itself at `until`' },
  adopting: { means: 'a new router has taken the shard over and asks every sender what it holds', ends: 'by itself, after about a second' },
  'no-allowance': { means: 'the ip-manager has not answered for this site yet', ends: 'by itself; if it lasts, look for the ip-manager' },
  'not-lending': { means: 'the ip-manager lends nothing here and gave no reason of its own', ends: 'at `until`; `npx hato ip` shows the modes' },
  'no-source': { means: 'no IP of the pool may send to this site', ends: 'add an IP to the pool: `npx hato apply FLEET`' },
  'sender-silent': {
    means: 'a sender fell silent and may still hold sessions of this IP; they count until they must be gone',
    ends: 'by itself, within seconds',
  },
  ramp: { means: "the warm-up's share of today or of this hour is used up", ends: 'by itself, at `until`' },
  window: { means: 'all sessions that the router believes (IP × site) to bear are lent', ends: 'by itself, as sessions end' },
} as const satisfies Record<string, Word>

/** services/ip-manager/policy/lending.ts: what holds an IP, or an IP at one site. */
export const SOURCE_WORDS = {
  cooling: {
    means: 'a reply blamed this IP at this site; the reason given is the rule or class that did',
    ends: 'by itself, at `until`; longer each time within 24 h',
  },
  blocked: {
    means: 'this site wants a delisting or a change on our side, or it is the fifth cooling in 24 h',
    ends: 'a person, then `npx hato ip release ADDRESS`; probed once a day',
  },
  recovering: { means: 'lends one session, then ¼, ½, all; a step per clean hour', ends: 'by itself, while nothing blames it' },
  probing: { means: 'the daily probe of a blocked IP: a mail a minute until one is delivered', ends: 'by itself' },
  draining: { means: 'a person drains the IP: it lends nothing new', ends: '`npx hato ip release ADDRESS`' },
  drained: { means: 'drained, and no lease of it is left', ends: '`npx hato ip release ADDRESS`' },
  quarantined: { means: 'a person, three sites that block it at once, or a listing on a zone marked so', ends: '`npx hato ip release ADDRESS`' },
  'ipv6-no-ptr': {
    means: 'an IPv6 address without a PTR that resolves back: the large providers refuse every mail of it',
    ends: 'publish what `npx hato doctor` says; looked at each hour and at `hato apply`',
  },
  'ipv6-64': {
    means: 'receivers count IPv6 by /64, and other addresses of it have all the sessions that the site bears from one',
    ends: 'use one address per /64, or addresses of another',
  },
  'egress-differs': {
    means: 'the IP serves, but the EHLO replies of two sites repeat another address: mail leaves elsewhere than SPF, PTR and reputation say',
    ends: 'mend the route, NAT or `egress`; by itself an hour after the last such reply',
  },
  'port-25-closed': {
    means: 'connects of this source timed out at five sites within five minutes with none between that succeeded: our way out, no site is blamed',
    ends: 'open port 25; by itself with the first delivery',
  },
  ramp: { means: "today's or this hour's share of the warm-up is used up", ends: 'by itself, at `until`' },
} as const satisfies Record<string, Word>

interface ClassWord {
  readonly means: string
  /** what it usually blames, which decides the row of the retry table; null = it only ever ends a recipient */
  readonly blames: Blame | null
}

/** The class of the last reply (or fault) of recipients that were deferred. */
export const CLASS_WORDS: Record<ReplyClass, ClassWord> = {
  delivered: { means: 'the peer took it', blames: null },
  'unknown-user': { means: 'no such mailbox; deferred only where a 4xx says so', blames: 'recipient' },
  'ambiguous-user': { means: "unknown, or the user's own filter (docomo and au say the same for both)", blames: 'recipient' },
  'mailbox-full': { means: 'the mailbox takes no more', blames: 'recipient' },
  'mailbox-disabled': { means: 'the mailbox is closed, or closed to us', blames: 'recipient' },
  'recipient-rate': { means: 'this one mailbox takes no more for now', blames: 'recipient' },
  greylisted: { means: 'come back later, from the same IP', blames: 'nobody' },
  'site-busy': { means: 'the site has no time, for nobody in particular', blames: 'site' },
  'too-many-connections': { means: 'fewer sessions, please; the router halves its window', blames: 'site' },
  rate: { means: 'too fast from this IP', blames: 'source' },
  reputation: { means: 'the IP (or our domain) is unloved for now', blames: 'source' },
  blocked: { means: 'the IP needs a delisting, or a 5xx about us was final after three tries', blames: 'source' },
  authentication: { means: "SPF, DKIM or DMARC of the sender's domain", blames: 'sender' },
  content: { means: 'what the mail says', blames: 'content' },
  'too-large': { means: 'larger than the peer takes', blames: 'content' },
  'too-many-recipients': { means: 'the envelope was full; the rest goes on at once', blames: 'nobody' },
  unreachable: { means: 'connect refused, timed out, reset', blames: 'host' },
  'bad-greeting': { means: 'refused before MAIL, in a way that concerns the host', blames: 'host' },
  tls: { means: 'TLS that is required was not to be had', blames: 'host' },
  'tls-policy': { means: 'no mail host met what the domain publishes about TLS (MTA-STS, DANE); never sent in plaintext instead', blames: 'host' },
  dns: { means: 'DNS does not answer (SERVFAIL, time-out)', blames: 'nobody' },
  'no-such-domain': { means: 'the domain does not exist, or takes no mail', blames: null },
  'null-mx': { means: 'the domain takes no mail (RFC 7505)', blames: null },
  'lost-dot': { means: 'the peer never answered the final dot; only transactional mail is tried again', blames: 'host' },
  'session-end': { means: 'the peer ended the session before this recipient', blames: 'nobody' },
  'lease-end': { means: "our own lease ended before this recipient's turn", blames: 'nobody' },
  resting: { means: 'site or source rest, or the campaign is held; the order waits on the schedule', blames: 'nobody' },
  deadline: { means: '`expiresAfter` has passed', blames: null },
  suppressed: { means: "on the tenant's suppression list", blames: null },
  cancelled: { means: 'the campaign was cancelled', blames: null },
  protocol: { means: 'we and the peer do not understand each other (500–504)', blames: 'us' },
  unmatched: { means: 'no rule knew the reply; its stage decided', blames: 'recipient' },
}

/** A router's grant that a sender did not take; in both their logs. */
export const GRANT_WORDS: Record<Extract<GrantAnswer, { kind: 'refused' }>['because'], string> = {
  'stale-epoch': 'a newer router owns the shard (S3)',
  'stale-tick': 'the grant was more than a second on its way',
  stopping: 'the sender is ending',
  'ip-unusable': "the sender's host cannot send from this IP",
  'no-room': 'HATO_SESSIONS are lent already',
  'not-ready': 'the sender has lost sight of who owns what',
  'source-held': 'the ip-manager has just stopped this source (S5)',
}

export function wordTable(words: Readonly<Record<string, Word>>): string {
  return table(
    ['because', 'means', 'ends'],
    Object.entries(words).map(([word, { means, ends }]) => [code(word), means, ends]),
  )
}

export function classTable(): string {
  return table(
    ['because', 'means', 'usually blames', 'tried again after', 'a try that counts', 'from'],
    REPLY_CLASSES.flatMap((word) => {
      const { means, blames } = CLASS_WORDS[word]
      return blames === null ? [] : [[code(word), means, blames, ...retries(word, blames)]]
    }),
  )
}

/** Words of outcomes that never wait. */
export function finalClasses(): string {
  const words = REPLY_CLASSES.filter((word) => CLASS_WORDS[word].blames === null)
  return words.map((word) => `${code(word)} (${CLASS_WORDS[word].means})`).join(' · ')
}

export function grantTable(): string {
  return table(
    ['grant refused because', 'means'],
    Object.entries(GRANT_WORDS).map(([word, means]) => [code(word), means]),
  )
}

function retries(word: ReplyClass, blames: Blame): string[] {
  const [bulk, urgent] = (['bulk', 'urgent'] as const).map((lane) => DEFAULT_RETRY.rows[retryReason(word, blames, lane)])
  if (bulk === undefined || urgent === undefined) throw new Error(`${word} has no row in the retry table`)
  const steps = ({ stepsMs }: typeof bulk) => [...new Set(stepsMs)].map(formatDuration).join(', ')
  const from = { hard: 'the same IP', soft: 'the same IP if possible', any: 'any' }[bulk.comesBackFrom]
  const after = steps(bulk) === steps(urgent) ? steps(bulk) : `${steps(bulk)}; urgent ${steps(urgent)}`
  return [after, bulk.charged ? 'yes' : 'no', from]
}
