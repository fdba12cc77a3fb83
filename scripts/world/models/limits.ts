/** What an ISP bears from one source IP: sessions, connects, mails, recipients. Each refusal here is an `excess`, which
 *  a well-mannered sender never earns. */
import { type Behaviour, stateless } from './behaviour.ts'
import type { ProvokedBy } from './names.ts'
import { reply, type Reply } from './reply.ts'
import { slide, type Window } from './window.ts'

const TOO_MANY_SESSIONS = reply(421, '4.7.0', 'Too many concurrent connections from your host, please try again later.')
const TOO_FAST = reply(451, '4.7.1', 'Too many messages in a short time, slow down.')

export function sessionCap(cap: number, says: Reply = TOO_MANY_SESSIONS): Behaviour<null> {
  return stateless(
    'session-cap',
    'excess',
    ['connect'],
    (_event, seen) => (seen.openFromSource > cap ? { answer: { reply: says, because: 'session-cap', then: 'close', excess: true } } : null),
    says,
  )
}

export function connectRate(
  { connects, overMs }: { readonly connects: number; readonly overMs: number },
  says: Reply = reply(421, '4.7.0', 'Too many connections in a short time from your host.'),
): Behaviour<Map<string, Window>> {
  return bySource('connect-rate', 'connect', connects, overMs, says, 'close')
}

/** Counted at MAIL. Real networks squeeze a well-paced stream together a little, so rows give an ISP's published rate 20 % of slack over seconds. */
export function mailRate({ mails, overMs }: { readonly mails: number; readonly overMs: number }, says: Reply = TOO_FAST): Behaviour<Map<string, Window>> {
  return bySource('mail-rate', 'mail', mails, overMs, says, says.code === 421 ? 'close' : 'stay')
}

function bySource(
  name: 'connect-rate' | 'mail-rate',
  on: 'connect' | 'mail',
  limit: number,
  overMs: number,
  says: Reply,
  then: 'close' | 'stay',
): Behaviour<Map<string, Window>> {
  return {
    name,
    provokedBy: 'excess',
    hears: [on],
    says,
    start: () => new Map(),
    hear(windows, _event, { now, session }) {
      const { window, count } = slide(windows.get(session.source) ?? [], now, overMs, limit)
      // what is refused does not count, or a steady stream just above the limit would be refused for ever
      windows.set(session.source, count > limit ? window.slice(0, -1) : window)
      return count > limit ? { state: windows, answer: { reply: says, because: name, then, excess: true } } : { state: windows }
    },
  }
}

/** `say-421` is a limit that one should keep; closing silently (Yahoo, after 20) is simply how such a session ends. */
export function mailsPerSession(cap: number, says: Reply = reply(421, '4.7.0', 'Too many messages for this session, closing.')): Behaviour<null> {
  return stateless(
    'mails-per-session',
    'excess',
    ['mail'],
    (_event, { session }) => (session.mails >= cap ? { answer: { reply: says, because: 'mails-per-session', then: 'close', excess: true } } : null),
    says,
  )
}

export function silentClose(after: number): Behaviour<null> {
  return stateless('silent-close', 'traffic', ['dot'], (_event, { session }) => (session.stored + 1 >= after ? { met: true, closes: 'after' } : null))
}

/** RFC 5321 4.5.3.1.10: the rest may be tried again at once. Not an excess: the reply is the way to learn it. */
export function rcptsPerMail(cap: number, says: Reply = reply(452, '4.5.3', 'Too many recipients')): Behaviour<null> {
  return stateless(
    'rcpts-per-mail',
    'traffic',
    ['rcpt'],
    (_event, { session }) => ((session.mail?.rcpts.length ?? 0) >= cap ? { answer: { reply: says, because: 'rcpts-per-mail', then: 'stay' } } : null),
    says,
  )
}

export function refusedPerSession(cap: number, says: Reply = reply(421, '4.7.0', 'Error: too many errors')): Behaviour<null> {
  return stateless(
    'refused-per-session',
    'excess',
    ['rcpt'],
    (_event, { session }) => (session.refused >= cap ? { answer: { reply: says, because: 'refused-per-session', then: 'close', excess: true } } : null),
    says,
  )
}

/** Postfix: after 10 refused recipients each reply takes a second. */
export function tarpit({ afterRefused, waitMs }: { readonly afterRefused: number; readonly waitMs: number }): Behaviour<null> {
  const provokedBy: ProvokedBy = afterRefused === 0 ? 'traffic' : 'excess'
  return stateless('tarpit', provokedBy, ['mail', 'rcpt', 'data'], (_event, { session }) => (session.refused >= afterRefused ? { waitMs } : null))
}

export function sizeLimit(bytes: number): Behaviour<null> {
  const tooBig = reply(552, '5.3.4', `Message size exceeds fixed limit of ${bytes} bytes`)
  return stateless('size-limit', 'excess', ['mail', 'dot'], (event) =>
    (event.on === 'mail' || event.on === 'dot') && event.sizeBytes > bytes
      ? { answer: { reply: tooBig, because: 'size-limit', then: 'stay', excess: true } }
      : null,
  )
}
