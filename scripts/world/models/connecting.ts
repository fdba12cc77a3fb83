/** How a session begins: greeting, TLS, what EHLO leaves out. */
import { type Behaviour, stateless } from './behaviour.ts'
import { reply, type Reply } from './reply.ts'

/** A 554 instead of a greeting (RFC 5321 3.1). `firstConnects` per source are refused, Infinity for good. */
export function greetingRefused(firstConnects: number, says: Reply = reply(554, '5.7.1', 'No SMTP service for you here')): Behaviour<Map<string, number>> {
  return {
    name: 'greeting-refused',
    provokedBy: 'traffic',
    hears: ['connect'],
    start: () => new Map(),
    hear(refused, _event, { session }) {
      const before = refused.get(session.source) ?? 0
      if (before >= firstConnects) return null
      refused.set(session.source, before + 1)
      return { state: refused, answer: { reply: says, because: 'greeting-refused', then: 'close' } }
    },
  }
}

export function slowGreeting(waitMs: number): Behaviour<null> {
  return stateless('slow-greeting', 'traffic', ['connect'], () => ({ waitMs }))
}

/** How au shows a block: the line is reset before a word was said. A source's first connect and every `nth` after it. */
export function dropAtConnect(nth: number): Behaviour<Map<string, number>> {
  return {
    name: 'drop-at-connect',
    provokedBy: 'traffic',
    hears: ['connect'],
    start: () => new Map(),
    hear(connects, _event, { session }) {
      const count = (connects.get(session.source) ?? 0) + 1
      connects.set(session.source, count)
      return (count - 1) % nth === 0 ? { state: connects, answer: { reply: null, because: 'drop-at-connect', then: 'reset' } } : { state: connects }
    },
  }
}

export function tlsOffered(): Behaviour<null> {
  return stateless('tls', 'traffic', ['tls'], () => ({ met: true }))
}

export function tlsRequired(says: Reply = reply(530, '5.7.0', 'Must issue a STARTTLS command first')): Behaviour<null> {
  return stateless('tls-required', 'excess', ['mail'], (_event, { session }) =>
    session.tls === 'plain' ? { answer: { reply: says, because: 'tls-required', then: 'stay', excess: true } } : null,
  )
}

/** Offers STARTTLS and answers the handshake with something that is none. */
export function tlsBroken(): Behaviour<null> {
  const ready = reply(220, '2.0.0', 'Ready to start TLS')
  return stateless('tls-broken', 'traffic', ['starttls'], () => ({ answer: { reply: ready, because: 'tls-broken', then: 'break-tls' } }))
}

export function noTls(): Behaviour<null> {
  return stateless('no-tls', 'traffic', ['ehlo'], () => ({ met: true }))
}

export function noPipelining(): Behaviour<null> {
  const improper = reply(554, '5.5.1', 'Improper use of SMTP command pipelining')
  return stateless('no-pipelining', 'traffic', ['ehlo', 'mail', 'rcpt', 'data'], (event) => {
    if (event.on === 'ehlo') return { met: true }
    const piped = (event.on === 'mail' || event.on === 'rcpt' || event.on === 'data') && event.arrived !== 'alone'
    return piped ? { answer: { reply: improper, because: 'no-pipelining', then: 'close', excess: true } } : null
  })
}
