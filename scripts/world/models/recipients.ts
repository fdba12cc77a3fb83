/** Who lives here, and what a source earns that asks for too many who do not. */
import { type Behaviour, stateless } from './behaviour.ts'
import type { Mail } from './event.ts'
import { reply, type Reply } from './reply.ts'
import { slide, type Window } from './window.ts'

const NO_SUCH_USER = reply(550, '5.1.1', 'No such user here')

export function unknownUser(says: Reply = NO_SUCH_USER): Behaviour<null> {
  return stateless('unknown-user', 'address', ['rcpt'], (_event, { word }) =>
    word?.kind === 'unknown' ? { answer: { reply: says, because: 'unknown-user', then: 'stay' } } : null,
  )
}

/** Yahoo Japan and mail.ru look only after the whole mail. One reply for all recipients (RFC 5321 3.3), so one unknown refuses the mail. */
export function unknownAfterDot(says: Reply): Behaviour<null> {
  return stateless('unknown-user', 'address', ['dot'], (_event, { session }) =>
    session.mail?.rcpts.some(({ word }) => word?.kind === 'unknown') === true ? { answer: { reply: says, because: 'unknown-user', then: 'stay' } } : null,
  )
}

export function mailboxFull(stage: 'rcpt' | 'dot', says: Reply = reply(452, '4.2.2', 'Mailbox full')): Behaviour<null> {
  return stateless('mailbox-full', 'address', [stage], (event, { word, session }) => {
    const full = event.on === 'dot' ? session.mail?.rcpts.some((rcpt) => rcpt.word?.kind === 'full') : word?.kind === 'full'
    return full === true ? { answer: { reply: says, because: 'mailbox-full', then: 'stay' } } : null
  })
}

type Standing = { readonly unknowns: Window; readonly blockedUntil: number }

/** More than `unknowns` unknown users within `overMs` block the source for `blockMs`: at the next MAIL and at the greeting. */
export function reputation({
  unknowns,
  overMs,
  blockMs,
  says,
}: {
  readonly unknowns: number
  readonly overMs: number
  readonly blockMs: number
  readonly says: Reply
}): Behaviour<Map<string, Standing>> {
  return {
    name: 'reputation',
    provokedBy: 'address',
    hears: ['connect', 'mail', 'refused'],
    says,
    start: () => new Map(),
    hear(standings, event, { now, session }) {
      const standing = standings.get(session.source) ?? { unknowns: [], blockedUntil: 0 }
      if (event.on !== 'refused') {
        return now < standing.blockedUntil ? { state: standings, answer: { reply: says, because: 'reputation', then: 'close' } } : null
      }
      if (event.because !== 'unknown-user') return null
      const { window, count } = slide(standing.unknowns, now, overMs, unknowns)
      const blocked = count > unknowns
      standings.set(session.source, { unknowns: blocked ? [] : window, blockedUntil: blocked ? now + blockMs : standing.blockedUntil })
      return { state: standings }
    },
  }
}

type Trap = { readonly rcpts: number; readonly mails: readonly Mail[] }

/** docomo: the recipient after the `cap`th of a session is refused with 554, and what the session had delivered is thrown away too. */
export function sessionRcptTrap(cap: number, says: Reply): Behaviour<Map<number, Trap>> {
  return {
    name: 'session-rcpt-trap',
    provokedBy: 'excess',
    hears: ['rcpt', 'stored', 'ended'],
    start: () => new Map(),
    hear(traps, event, { session }) {
      const trap = traps.get(session.id) ?? { rcpts: 0, mails: [] }
      switch (event.on) {
        case 'ended':
          traps.delete(session.id)
          return { state: traps }
        case 'stored':
          traps.set(session.id, { rcpts: trap.rcpts, mails: [...trap.mails, event.mail] })
          return { state: traps }
        default: {
          const sprung = trap.rcpts >= cap
          traps.set(session.id, { rcpts: trap.rcpts + 1, mails: sprung ? [] : trap.mails })
          return sprung
            ? { state: traps, answer: { reply: says, because: 'session-rcpt-trap', then: 'stay', voids: trap.mails, excess: true } }
            : { state: traps }
        }
      }
    },
  }
}
