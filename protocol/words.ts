/** The closed sets every part of Hato shares (design §1, delivery.md). One word per thing. */

export const KINDS = ['marketing', 'notice', 'transactional'] as const
export type Kind = (typeof KINDS)[number]

export const LANES = ['urgent', 'bulk'] as const
export type Lane = (typeof LANES)[number]

/** Where in the conversation a reply was heard (delivery.md §3). `connect` is before the greeting: no reply, only a fault. */
export const STAGES = ['connect', 'greeting', 'ehlo', 'starttls', 'mail', 'rcpt', 'data', 'dot', 'idle'] as const
export type Stage = (typeof STAGES)[number]

/** Whom a reply blames (delivery.md §3). */
export const BLAMES = ['recipient', 'domain', 'host', 'site', 'source', 'sender', 'content', 'us', 'nobody'] as const
export type Blame = (typeof BLAMES)[number]

export const FINAL_OUTCOMES = ['delivered', 'bounced', 'expired', 'suppressed', 'cancelled'] as const
export type FinalOutcome = (typeof FINAL_OUTCOMES)[number]
export const OUTCOMES = [...FINAL_OUTCOMES, 'deferred'] as const
export type OutcomeWord = (typeof OUTCOMES)[number]

/** What kind of trouble a reply is; a closed set so that dashboards, retry table and suppression agree on it. */
export const REPLY_CLASSES = [
  'delivered',
  'unknown-user',
  'ambiguous-user', // docomo, au: the same words for an unknown user and for the user's own filter
  'mailbox-full',
  'mailbox-disabled',
  'recipient-rate', // one mailbox takes no more for now (Gmail 450 4.2.1)
  'greylisted',
  'site-busy', // server busy, try later; nobody's fault in particular
  'too-many-connections',
  'rate', // we are too fast for this (IP × site)
  'reputation', // the source address is unloved, for now
  'blocked', // the source address needs a delisting, or policy refused it for good
  'authentication', // SPF, DKIM, DMARC of the sender's domain
  'content', // this mail's content
  'too-large',
  'too-many-recipients',
  'unreachable', // connect refused, timed out, reset
  'bad-greeting', // a 4xx/5xx before MAIL that blames the host
  'tls', // required TLS was not to be had
  'tls-policy', // what the domain publishes about TLS (MTA-STS, DANE), or the campaign asks for (REQUIRETLS), was not met
  'dns', // SERVFAIL, time-out
  'no-such-domain', // NXDOMAIN
  'null-mx', // RFC 7505, 521 from every host
  'lost-dot', // no reply to the final dot
  'session-end', // a polite close between transactions
  'lease-end', // our own lease or claim ended before the recipient's turn
  'resting', // the site rests
  'deadline', // expiresAfter passed
  'suppressed',
  'cancelled',
  'protocol', // 500–504: we and the peer do not understand each other
  'unmatched', // no row knew it; the stage's default applied
] as const
export type ReplyClass = (typeof REPLY_CLASSES)[number]

/** A moment, milliseconds since 1970-01-01 UTC, by the wall clock. */
export type EpochMs = number
/** A moment on this process's monotonic clock, milliseconds. Never leaves the process except as an echoed tick. */
export type MonoMs = number

export const CAMPAIGN_STATES = ['received', 'counting', 'scheduled', 'running', 'paused', 'cancelling', 'cancelled', 'finished', 'rejected'] as const
export type CampaignState = (typeof CAMPAIGN_STATES)[number]

export const IP_MODES = ['serving', 'draining', 'drained', 'quarantined'] as const
export type IpMode = (typeof IP_MODES)[number]

export const SOURCE_MODES = ['warming', 'steady', 'cooling', 'recovering', 'blocked'] as const
export type SourceMode = (typeof SOURCE_MODES)[number]
