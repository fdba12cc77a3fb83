/** What can go wrong between DATA and the reply to the dot. The dice choose among ordinary names only. */
import { type Behaviour, type Heard, type SessionView, stateless } from './behaviour.ts'
import type { BehaviourName } from './names.ts'
import { reply } from './reply.ts'

const GO_AHEAD = reply(354, null, 'Start mail input; end with <CRLF>.<CRLF>')

/** The line is cut in mid-body, one mail in every `oneIn`. */
export function dropInData(oneIn: number): Behaviour<Lot> {
  return oneOf('drop-in-data', 'data', oneIn, { answer: { reply: GO_AHEAD, because: 'drop-in-data', then: 'cut-in-body' } })
}

/** The mail is stored and the dot is not answered, one mail in every `oneIn`; the line is cut `cutAfterMs` later. */
export function silenceAfterDot(oneIn: number, cutAfterMs: number): Behaviour<Lot> {
  return oneOf('silence-after-dot', 'dot', oneIn, { waitMs: cutAfterMs, answer: { reply: null, because: 'silence-after-dot', then: 'cut', keeps: 'mail' } })
}

/** how many of the present run have passed, and which of it is struck */
type Lot = { readonly passed: number; readonly struck: number }

/** Exactly one in each run of `oneIn`, the dice say which: random, and yet met by whoever sends `oneIn` mails. */
function oneOf(name: BehaviourName, on: 'data' | 'dot', oneIn: number, strikes: Omit<Heard<null>, 'state'>): Behaviour<Lot> {
  return {
    name,
    provokedBy: 'chance',
    hears: [on],
    start: () => ({ passed: 0, struck: -1 }),
    hear(lot, _event, { dice, session }) {
      if (!onlyPlain(session)) return null
      const struck = lot.passed === 0 ? Math.floor(dice() * oneIn) : lot.struck
      const state = { passed: (lot.passed + 1) % oneIn, struck }
      return lot.passed === struck ? { state, ...strikes } : { state }
    },
  }
}

const onlyPlain = ({ mail }: SessionView): boolean => mail?.rcpts.every((rcpt) => rcpt.word === null) === true

export function slowDot(waitMs: number): Behaviour<null> {
  return stateless('slow-dot', 'traffic', ['dot'], () => ({ waitMs }))
}

/** Haraka: an envelope that stands behind the dot before the dot was answered is refused, command by command. */
export function aheadRefused(): Behaviour<null> {
  return stateless('ahead-refused', 'traffic', ['mail', 'rcpt', 'data'], (event) =>
    (event.on === 'mail' || event.on === 'rcpt' || event.on === 'data') && event.arrived === 'behind-dot'
      ? { answer: { reply: reply(503, '5.5.1', `${event.on.toUpperCase()} pipelined after end of DATA`), because: 'ahead-refused', then: 'stay' } }
      : null,
  )
}

/** Most MTAs take the next envelope behind the body (RFC 2920 3.1); this only notices it. */
export function aheadAccepted(): Behaviour<null> {
  return stateless('ahead-accepted', 'traffic', ['mail'], (event) => (event.on === 'mail' && event.arrived === 'behind-dot' ? { met: true } : null))
}

/** Says 354 although every RCPT was refused (RFC 2920 3.1 tells the sender to close with a lone dot then). */
export function dataRegardless(): Behaviour<null> {
  return stateless('data-regardless', 'address', ['data'], (_event, { session }) =>
    session.mail !== null && session.mail.rcpts.length === 0 ? { answer: { reply: GO_AHEAD, because: 'data-regardless', then: 'read-body' } } : null,
  )
}
