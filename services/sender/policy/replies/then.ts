/** The meanings that most rows share, so that the same trouble is written the same way in every file. */
import type { Then, Threshold } from './rule.ts'

export const UNKNOWN: Then = { class: 'unknown-user', blames: 'recipient', suppress: true }
/** The same words for an unknown user and for the user's own filter. */
export const AMBIGUOUS: Then = { class: 'ambiguous-user', blames: 'recipient', suppress: true }
export const DISABLED: Then = { class: 'mailbox-disabled', blames: 'recipient', suppress: true }
/** The mailbox lives, but not for us (group rules, private list): nothing to suppress. */
export const CLOSED: Then = { class: 'mailbox-disabled', blames: 'recipient' }
export const FULL: Then = { class: 'mailbox-full', blames: 'recipient', suppress: true }
export const CROWDED: Then = { class: 'recipient-rate', blames: 'recipient', outcome: 'deferred' }
export const GREY: Then = { class: 'greylisted', blames: 'nobody', outcome: 'deferred' }
export const SPAM: Then = { class: 'content', blames: 'content' }
/** The recipient's organisation has a rule against it; its other recipients have the same. */
export const POLICY: Then = { class: 'content', blames: 'domain' }
export const TOO_LARGE: Then = { class: 'too-large', blames: 'content' }
/** RFC 5321 4.5.3.1.10: 552 here is temporary, the rest goes on in the next transaction. */
export const TOO_MANY_RCPTS: Then = { class: 'too-many-recipients', blames: 'nobody', outcome: 'deferred' }
export const SESSION_END: Then = { class: 'session-end', blames: 'nobody', outcome: 'deferred' }
export const BUSY: Then = { class: 'site-busy', blames: 'site' }
export const HOST_BUSY: Then = { class: 'site-busy', blames: 'host' }
/** The MX does not take mail for the domain: its owner's mistake. */
export const NOT_SERVED: Then = { class: 'no-such-domain', blames: 'domain' }
export const UNAUTHENTICATED: Then = { class: 'authentication', blames: 'sender' }
/** We and the peer do not understand each other. */
export const OUR_FAULT: Then = { class: 'protocol', blames: 'us' }
export const NEEDS_TLS: Then = { class: 'tls', blames: 'host' }
/** PTR, HELO, IPv6 set-up of one address of ours: waiting does not help. */
export const BAD_SETUP: Then = { class: 'reputation', blames: 'source', needsPerson: true }

type Rest = { readonly restMs?: number; readonly threshold?: Threshold }

/** Too many sessions: the router halves its window; nobody's reputation is meant. */
export function crowd(rest: Rest = {}): Then {
  return { class: 'too-many-connections', blames: 'site', ...rest }
}
/** We are too fast from this address. */
export function tooFast(rest: Rest = {}): Then {
  return { class: 'rate', blames: 'source', ...rest }
}
/** The address is unloved, for now. */
export function disliked(rest: Rest = {}): Then {
  return { class: 'reputation', blames: 'source', ...rest }
}
/** The address is on a list that somebody has to take it off. */
export function listed(rest: Rest = {}): Then {
  return { class: 'blocked', blames: 'source', needsPerson: true, ...rest }
}
/** Our domain (From, DKIM, return path, links) is unloved; no address changes mode. */
export function domainDisliked(rest: Rest = {}): Then {
  return { class: 'reputation', blames: 'sender', ...rest }
}
export function busy(rest: Rest): Then {
  return { ...BUSY, ...rest }
}
