/** The plain SMTP server that every ISP is, with its behaviours laid over it: `(isp, event, {now, dice}) → {isp, …}`.
 *
 *  For each event: is it in order (RFC 5321 4.1.4)? does a planted fault strike? does a behaviour answer? else the plain
 *  answer. Then the session is moved on, and the behaviours that care hear what was stored or refused.
 *  The state handed in is spent: use the one that comes back. */
import type { Answer, Heard, Seen, SessionView } from './behaviour.ts'
import type { BehaviourName } from './names.ts'
import { domainOf, localOf } from './address.ts'
import type { AfterEvent, Mail, SmtpEvent } from './event.ts'
import { strike } from './fault.ts'
import type { Isp, Session } from './isp.ts'
import { isPositive, reply } from './reply.ts'
import { wordOf } from './words.ts'

export type Chance = { readonly now: number; readonly dice: () => number }

export type Received = {
  readonly state: Isp
  readonly answer: Answer
  readonly waitMs: number
  /** what the far end now has, whatever it said */
  readonly stored: Mail | null
  readonly met: readonly BehaviourName[]
  readonly session: SessionView
  /** sessions open from the same source while this was decided, its own included */
  readonly openFromSource: number
}

const CLOSED: Answer = { reply: null, because: 'plain', then: 'cut' }
const OK = reply(250, '2.0.0', 'OK')
const plain = (said: Answer['reply'], then: Answer['then'] = 'stay'): Answer => ({ reply: said, because: 'plain', then })
const PLAIN_OK = plain(OK)
const SENDER_OK = plain(reply(250, '2.1.0', 'OK'))
const RCPT_OK = plain(reply(250, '2.1.5', 'OK'))
const GO_AHEAD = plain(reply(354, null, 'Start mail input; end with <CRLF>.<CRLF>'), 'read-body')
const TAKEN: Answer = { ...plain(reply(250, '2.6.0', 'Message accepted')), keeps: 'mail' }
const BYE = plain(reply(221, '2.0.0', 'Bye'), 'close')
const IDLE = plain(reply(421, '4.4.2', 'Timeout, closing'), 'close')
const START_TLS = plain(reply(220, '2.0.0', 'Ready to start TLS'), 'start-tls')
const UNKNOWN_COMMAND: Answer = { reply: reply(500, '5.5.2', 'Unrecognized command'), because: 'bad-sequence', then: 'stay' }
const BAD_SEQUENCE: Answer = { reply: reply(503, '5.5.1', 'Bad sequence of commands'), because: 'bad-sequence', then: 'stay' }
const NO_RECIPIENT: Answer = { reply: reply(554, '5.5.1', 'No valid recipients'), because: 'no-recipient', then: 'stay' }

export function receive(isp: Isp, event: SmtpEvent, chance: Chance): Received {
  const session = event.on === 'connect' ? open(isp, event) : isp.sessions.get(event.session)
  // a command that was still in the pipe when the session ended
  if (session === undefined) return { state: isp, answer: CLOSED, waitMs: 0, stored: null, met: [], session: GONE, openFromSource: 0 }
  const seen: Seen = {
    now: chance.now,
    dice: chance.dice,
    session,
    openFromSource: isp.open.get(session.source) ?? 0,
    word: event.on === 'rcpt' ? wordOf(localOf(event.to)) : null,
  }
  const decided = decide(isp, session, event, seen)
  const stored = moveOn(session, event, decided.answer, seen)
  if (stored !== null) tell(isp, { on: 'stored', session: session.id, mail: stored }, seen)
  if ((event.on === 'rcpt' || event.on === 'dot') && !isPositive(decided.answer.reply)) {
    tell(isp, { on: 'refused', session: session.id, because: decided.answer.because }, seen)
  }
  if (event.on === 'dot') session.mail = null
  if (ends(decided.answer) || event.on === 'closed') close(isp, session, seen)
  return { state: isp, ...decided, stored, session, openFromSource: seen.openFromSource }
}

const GONE: SessionView = { id: -1, source: '', host: '', tls: 'plain', mails: 0, stored: 0, rcpts: 0, refused: 0, mail: null }

function open(isp: Isp, { session: id, source, host }: SmtpEvent & { on: 'connect' }): Session {
  const session: Session = { id, source, host, tls: 'plain', greeted: false, mails: 0, stored: 0, rcpts: 0, refused: 0, mail: null }
  isp.sessions.set(id, session)
  isp.open.set(source, (isp.open.get(source) ?? 0) + 1)
  return session
}

type Decided = { readonly answer: Answer; readonly waitMs: number; readonly met: readonly BehaviourName[] }
const NONE_MET: readonly BehaviourName[] = []

function decide(isp: Isp, session: Session, event: SmtpEvent, seen: Seen): Decided {
  if (outOfOrder(session, event)) return { answer: BAD_SEQUENCE, waitMs: 0, met: NONE_MET }
  let waitMs = 0
  let met = NONE_MET
  let closes = false
  const finish = (answer: Answer): Decided => ({ answer: closes && answer.then === 'stay' ? { ...answer, then: 'close' } : answer, waitMs, met })
  const struck = isp.faults.length === 0 ? null : strike(isp.faults, event, seen)
  if (struck !== null) {
    met = ['fault']
    if (!('waitMs' in struck)) return finish(struck)
    waitMs = struck.waitMs
  }
  for (const running of isp.hearing.get(event.on) ?? []) {
    const heard: Heard<unknown> | null = running.behaviour.hear(running.state, event, seen)
    if (heard === null) continue
    running.state = heard.state
    waitMs += heard.waitMs ?? 0
    if (heard.closes === 'after') closes = true
    // `meet-…@` shows another behaviour than its own
    if (heard.answer !== undefined) met = [...met, heard.answer.because as BehaviourName]
    else if (heard.met === true || heard.waitMs !== undefined) met = [...met, running.behaviour.name]
    if (heard.answer !== undefined) return finish(heard.answer)
  }
  return finish(plainAnswer(isp, session, event))
}

function outOfOrder(session: Session, event: SmtpEvent): boolean {
  switch (event.on) {
    case 'mail':
      return !session.greeted || session.mail !== null
    case 'rcpt':
    case 'data':
    case 'dot':
      return session.mail === null
    case 'starttls':
      return !session.greeted || session.tls === 'encrypted' || session.mail !== null
    default:
      return false
  }
}

function plainAnswer({ row, domains }: Isp, session: Session, event: SmtpEvent): Answer {
  switch (event.on) {
    case 'connect':
      return plain(reply(220, null, `${session.host} ESMTP ${row.name}-like`))
    case 'helo':
      return plain(reply(250, null, session.host))
    case 'ehlo':
      return plain(
        reply(250, null, `${session.host} at your service, [${session.source}]`, ...row.ehlo.filter((word) => word !== 'STARTTLS' || session.tls === 'plain')),
      )
    case 'starttls':
      return row.ehlo.includes('STARTTLS') ? START_TLS : UNKNOWN_COMMAND
    case 'mail':
      return SENDER_OK
    case 'rcpt':
      return domains.has(domainOf(event.to)) ? RCPT_OK : { reply: reply(550, '5.7.1', 'Relaying denied'), because: 'plain', then: 'stay' }
    case 'data':
      return session.mail?.rcpts.length === 0 ? NO_RECIPIENT : GO_AHEAD
    case 'dot':
      return session.mail?.rcpts.length === 0 ? NO_RECIPIENT : TAKEN
    case 'quit':
      return BYE
    case 'idle':
      return IDLE
    case 'closed':
      return CLOSED
    case 'other':
      return UNKNOWN_COMMAND
    case 'rset':
    case 'noop':
    case 'tls':
      return PLAIN_OK
  }
}

/** The one place that moves a session on; returns the mail if the far end has it now. */
function moveOn(session: Session, event: SmtpEvent, answer: Answer, { word }: Seen): Mail | null {
  const accepted = isPositive(answer.reply)
  switch (event.on) {
    case 'ehlo':
    case 'helo':
      session.greeted = accepted
      session.mail = null
      break
    // what was said before the handshake is forgotten (RFC 3207 4.2)
    case 'tls':
      session.tls = 'encrypted'
      session.greeted = false
      session.mail = null
      break
    case 'mail':
      if (accepted) {
        session.mail = { from: event.from, rcpts: [] }
        session.mails += 1
      }
      break
    case 'rcpt':
      if (accepted) {
        session.mail?.rcpts.push({ to: event.to, word })
        session.rcpts += 1
      } else session.refused += 1
      break
    case 'rset':
      session.mail = null
      break
    case 'dot':
      return keep(session, event, answer)
    default:
      break
  }
  return null
}

const ends = ({ then }: Answer): boolean => then === 'close' || then === 'cut' || then === 'reset'

function keep(session: Session, event: SmtpEvent & { on: 'dot' }, answer: Answer): Mail | null {
  const { mail } = session
  if (answer.keeps !== 'mail' || mail === null || mail.rcpts.length === 0) return null
  session.stored += 1
  return { messageId: event.messageId, from: mail.from, rcpts: mail.rcpts.map(({ to }) => to), sizeBytes: event.sizeBytes, source: session.source }
}

/** A session that ended its own way (QUIT, 421) no longer counts, though its FIN may still be on the way. */
function close(isp: Isp, session: Session, seen: Seen): void {
  tell(isp, { on: 'ended', session: session.id }, seen)
  if (!isp.sessions.delete(session.id)) return
  const left = (isp.open.get(session.source) ?? 1) - 1
  if (left === 0) isp.open.delete(session.source)
  else isp.open.set(session.source, left)
}

function tell(isp: Isp, event: AfterEvent, seen: Seen): void {
  for (const running of isp.hearing.get(event.on) ?? []) {
    const heard = running.behaviour.hear(running.state, event, seen)
    if (heard !== null) running.state = heard.state
  }
}
