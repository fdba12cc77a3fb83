/** Every ISP's last behaviour: it does what the address says (words.ts). Counts attempts per (return path, recipient),
 *  which stay the same between the attempts of one mail and differ between campaigns. */
import type { Answer, Behaviour, Heard, Rcpt, Seen } from './behaviour.ts'
import { type GreyState, greylisted, greyReply, triplet } from './greylist.ts'
import { reply, type Reply } from './reply.ts'
import { SAYINGS } from './sayings.ts'
import type { Word, WordStage } from './words.ts'

type Obeying = { readonly tried: Map<string, number>; readonly grey: GreyState }

const GO_AHEAD = reply(354, null, 'Start mail input; end with <CRLF>.<CRLF>')

export function obeyAddresses(): Behaviour<Obeying> {
  return {
    name: 'words',
    provokedBy: 'address',
    hears: ['rcpt', 'data', 'dot'],
    start: () => ({ tried: new Map(), grey: new Map() }),
    hear(state, event, seen) {
      const { mail } = seen.session
      if (mail === null) return null
      if (event.on === 'rcpt') {
        return seen.word === null ? null : heard(state, atRcpt(state, { to: event.to, word: seen.word }, mail.from, seen))
      }
      const stage = event.on === 'data' ? 'data' : 'dot'
      // one reply for all recipients: the first address that wants something here is obeyed
      for (const rcpt of mail.rcpts) {
        const done = rcpt.word === null ? null : atStage(state, stage, rcpt, rcpt.word, mail.from)
        if (done !== null) return heard(state, done)
      }
      return null
    },
  }
}

type Done = Omit<Heard<null>, 'state'>
const heard = (state: Obeying, done: Done | null): Heard<Obeying> | null => (done === null ? null : { state, ...done })

function atRcpt(state: Obeying, rcpt: Rcpt, from: string, seen: Seen): Done | null {
  const word = rcpt.word
  if (word?.kind === 'grey') {
    const greyed = greylisted(state.grey, triplet(seen.session.source, from, rcpt.to), seen.now, word.waitMs)
    return greyed.kind === 'known' ? null : { answer: say(greyReply(greyed.leftMs)) }
  }
  return word === null ? null : atStage(state, 'rcpt', rcpt, word, from)
}

function atStage(state: Obeying, stage: WordStage, { to }: Rcpt, word: Word, from: string): Done | null {
  const again = (times: number): boolean => times === Infinity || countUp(state.tried, `${from} ${to}`) <= times
  switch (word.kind) {
    case 'answer':
      return word.stage === stage && again(word.times) ? { answer: say(plainReply(word.code)) } : null
    case 'say':
      return word.stage === stage && again(word.times) ? { answer: say(SAYINGS[word.saying].reply) } : null
    case 'slow':
      return word.stage === stage ? { waitMs: word.waitMs } : null
    case 'drop':
      return word.at === stage && again(word.times) ? { answer: drop(word.at) } : null
    case 'silent':
      return stage === 'dot' ? silence(word.cutAfterMs) : null
    default:
      return null
  }
}

function say(said: Reply): Answer {
  return { reply: said, because: 'words', then: said.code === 421 ? 'close' : 'stay' }
}

function drop(at: WordStage): Answer {
  switch (at) {
    case 'rcpt':
      return { reply: null, because: 'words', then: 'cut' }
    case 'data':
      return { reply: GO_AHEAD, because: 'words', then: 'cut-in-body' }
    case 'dot':
      return { reply: null, because: 'words', then: 'cut', keeps: 'mail' }
  }
}

function silence(cutAfterMs: number | null): Done {
  return cutAfterMs === null
    ? { answer: { reply: null, because: 'words', then: 'stay', keeps: 'mail' } }
    : { waitMs: cutAfterMs, answer: { reply: null, because: 'words', then: 'cut', keeps: 'mail' } }
}

function plainReply(code: number): Reply {
  return code < 500
    ? reply(code, code === 421 ? '4.3.2' : '4.3.0', 'Temporarily unavailable, as the address asks')
    : reply(code, '5.7.0', 'Refused, as the address asks')
}

function countUp(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1
  counts.set(key, count)
  return count
}

/** `meet-session-cap@` and its like: said by the ISP's own row, once, at RCPT. */
export function playLimits(rows: ReadonlyMap<string, Reply>): Behaviour<Map<string, number>> {
  return {
    name: 'words',
    provokedBy: 'address',
    hears: ['rcpt'],
    start: () => new Map(),
    hear(tried, event, { word, session }) {
      if (event.on !== 'rcpt' || word?.kind !== 'meet' || session.mail === null) return null
      const said = rows.get(word.behaviour)
      if (said === undefined || countUp(tried, `${session.mail.from} ${event.to}`) > word.times) return null
      return { state: tried, answer: { reply: said, because: word.behaviour, then: said.code === 421 ? 'close' : 'stay' } }
    },
  }
}
