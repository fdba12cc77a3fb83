// biome-ignore-all format: a row a line, so that the table reads as one
import type { Rule } from '../rule.ts'
import { AMBIGUOUS, BAD_SETUP, DISABLED, HOST_BUSY, NEEDS_TLS, NOT_SERVED, OUR_FAULT, POLICY, SESSION_END, SPAM, TOO_LARGE, TOO_MANY_RCPTS, UNAUTHENTICATED, UNKNOWN } from '../then.ts'

/** Enhanced codes as RFC 3463, 5248, 7372, 7505 define them, for words that no row knows. Last of all: many servers put any code before
 *  any text. 5.7.1 and 4.7.1 stand for everything and say nothing: they are left to the stage. */
export const STATUS: readonly Rule[] = [
  { id: 'rfc3463/5.1.1', seen: '550 5.1.1 <taro@example.com>', when: { enhanced: '5.1.1' }, then: UNKNOWN },
  { id: 'rfc3463/5.1.2', seen: '550 5.1.2 <taro@example.com>', when: { enhanced: '5.1.2' }, then: NOT_SERVED },
  { id: 'rfc3463/5.1.3', seen: '553 5.1.3 <taro..y@example.com>', when: { enhanced: '5.1.3' }, then: AMBIGUOUS },
  { id: 'rfc3463/5.1.6', seen: '551 5.1.6 <taro@example.com>', when: { enhanced: '5.1.6' }, then: DISABLED },
  { id: 'rfc3463/5.1.7', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '553 5.1.7 <news@acme.example>', when: { enhanced: '5.1.7' }, then: UNAUTHENTICATED },
  { id: 'rfc3463/5.1.8', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '550 5.1.8 <news@acme.example>', when: { enhanced: '5.1.8' }, then: UNAUTHENTICATED },
  { id: 'rfc7505/5.1.10', seen: '550 5.1.10 <taro@example.com>', when: { enhanced: '5.1.10' }, then: { class: 'null-mx', blames: 'domain' } },
  { id: 'rfc3463/5.2.1', seen: '550 5.2.1 <taro@example.com>', when: { enhanced: '5.2.1' }, then: DISABLED },
  { id: 'rfc3463/5.2.3', seen: '552 5.2.3 <taro@example.com>', when: { enhanced: '5.2.3' }, then: TOO_LARGE },
  { id: 'rfc3463/5.3.4', seen: '552 5.3.4 <taro@example.com>', when: { enhanced: '5.3.4' }, then: TOO_LARGE },
  { id: 'rfc3463/5.4.4', seen: '550 5.4.4 <taro@example.com>', when: { enhanced: '5.4.4' }, then: NOT_SERVED },
  { id: 'rfc3463/5.4.6', seen: '554 5.4.6 <taro@example.com>', when: { enhanced: '5.4.6' }, then: NOT_SERVED },
  { id: 'rfc3463/5.5.3', seen: '550 5.5.3 <taro@example.com>', when: { enhanced: '5.5.3' }, then: TOO_MANY_RCPTS },
  { id: 'rfc3463/5.5', seen: '554 5.5.4 <taro@example.com>', when: { enhanced: '5.5.4' }, then: OUR_FAULT },
  { id: 'rfc3463/5.6', seen: '554 5.6.3 <taro@example.com>', when: { enhanced: '5.6.' }, then: SPAM },
  { id: 'rfc3463/5.7.2', seen: '550 5.7.2 <list@example.com>', when: { enhanced: '5.7.2' }, then: { class: 'mailbox-disabled', blames: 'recipient' } },
  { id: 'rfc5248/5.7.10', seen: '523 5.7.10 connection', when: { enhanced: '5.7.10' }, then: { ...NEEDS_TLS } },
  { id: 'rfc5248/5.7.17', seen: '550 5.7.17 <taro@example.com>', when: { enhanced: '5.7.17' }, then: DISABLED },
  { id: 'rfc7372/5.7.20', seen: '550 5.7.20 rejected', when: { enhanced: '5.7.20' }, then: UNAUTHENTICATED },
  { id: 'rfc7372/5.7.21', seen: '550 5.7.21 rejected', when: { enhanced: '5.7.21' }, then: UNAUTHENTICATED },
  { id: 'rfc7372/5.7.22', seen: '550 5.7.22 rejected', when: { enhanced: '5.7.22' }, then: UNAUTHENTICATED },
  { id: 'rfc7372/5.7.23', seen: '550 5.7.23 rejected', when: { enhanced: '5.7.23' }, then: UNAUTHENTICATED },
  { id: 'rfc7372/5.7.25', seen: '550 5.7.25 rejected', when: { enhanced: '5.7.25' }, then: BAD_SETUP },
  { id: 'rfc7372/5.7.26', seen: '550 5.7.26 rejected', when: { enhanced: '5.7.26' }, then: UNAUTHENTICATED },
  { id: 'rfc7505/5.7.27', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '550 5.7.27 <news@acme.example>', when: { enhanced: '5.7.27' }, then: OUR_FAULT },
  { id: 'rfc3463/5.7.13', seen: '550 5.7.13 <taro@example.com>', when: { enhanced: '5.7.13' }, then: POLICY },
  { id: 'rfc3463/4.1.8', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '450 4.1.8 <news@acme.example>', when: { enhanced: '4.1.8' }, then: UNAUTHENTICATED },
  { id: 'rfc3463/4.3', seen: '451 4.3.5 queued mail cannot be taken', when: { enhanced: '4.3.' }, then: HOST_BUSY },
  { id: 'rfc3463/4.4.2', seen: '421 4.4.2 connection dropped', when: { enhanced: '4.4.2' }, then: SESSION_END },
  { id: 'rfc3463/4.4', seen: '450 4.4.1 no answer from host', when: { enhanced: '4.4.' }, then: HOST_BUSY },
  { id: 'rfc3463/4.5.3', seen: '452 4.5.3 <taro@example.com>', when: { enhanced: '4.5.3' }, then: TOO_MANY_RCPTS },
  { id: 'rfc7372/4.7.25', seen: '450 4.7.25 rejected', when: { enhanced: '4.7.25' }, then: BAD_SETUP },
  { id: 'rfc5248/4.7.10', seen: '450 4.7.10 connection', when: { enhanced: '4.7.10' }, then: NEEDS_TLS },
  { id: 'rfc5321/421', stages: ['rcpt', 'data', 'dot'], seen: '421 mx1.example.com', when: { code: 421 }, then: HOST_BUSY },
]
