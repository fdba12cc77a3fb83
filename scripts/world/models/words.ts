/** The world obeys the address: a local part that is one of these words decides what happens to it, at every ISP.
 *  `ok+123@` is `ok@`. `-xN` means the first N attempts of that (return path, recipient); the mail is taken afterwards. */
import type { BehaviourName } from './names.ts'
import { SAYINGS, type SayingName } from './sayings.ts'

export type WordStage = 'rcpt' | 'data' | 'dot'

export type Word =
  | { readonly kind: 'ok' | 'unknown' | 'full' }
  /** stored, and the dot is never answered; with `cutAfterMs` the line is cut then */
  | { readonly kind: 'silent'; readonly cutAfterMs: number | null }
  | { readonly kind: 'answer'; readonly code: number; readonly stage: WordStage; readonly times: number }
  | { readonly kind: 'say'; readonly saying: SayingName; readonly stage: WordStage; readonly times: number }
  | { readonly kind: 'drop'; readonly at: 'rcpt' | 'data' | 'dot'; readonly times: number }
  | { readonly kind: 'slow'; readonly waitMs: number; readonly stage: WordStage }
  | { readonly kind: 'grey'; readonly waitMs: number }
  /** behave once as if that limit had been overstepped by somebody */
  | { readonly kind: 'meet'; readonly behaviour: BehaviourName; readonly times: number }

/** What becomes of an address if the sender does everything right. */
export type Design = { readonly end: 'delivered' | 'refused' | 'never'; readonly why: string }

const OK: Word = { kind: 'ok' }
const UNKNOWN: Word = { kind: 'unknown' }
const FULL: Word = { kind: 'full' }
const WORD = /^(defer|refuse|drop|slow|grey|silent|say|meet)(?:-(.+))?$/
const TAIL = /^(.*?)(?:-x(\d+))?(?:-at-(rcpt|data|dot))?$/
const TIME = /^(\d+)(ms|s|m)$/

/** `local` without the domain; null for an ordinary name. A misspelt word is an ordinary name. */
export function wordOf(local: string): Word | null {
  const plus = local.indexOf('+')
  const head = plus === -1 ? local : local.slice(0, plus)
  if (head === 'ok') return OK
  if (head === 'unknown') return UNKNOWN
  if (head === 'full') return FULL
  const word = WORD.exec(head)
  return word === null ? null : readWord(word[1] ?? '', word[2] ?? '')
}

function readWord(verb: string, rest: string): Word | null {
  const tail = TAIL.exec(rest)
  const what = tail?.[1] ?? ''
  const times = tail?.[2] === undefined ? null : Number(tail[2])
  const stage = (tail?.[3] ?? null) as WordStage | null
  switch (verb) {
    case 'defer':
      return /^4\d\d$/.test(what) ? { kind: 'answer', code: Number(what), stage: stage ?? 'rcpt', times: times ?? Infinity } : null
    case 'refuse':
      return /^5\d\d$/.test(what) ? { kind: 'answer', code: Number(what), stage: stage ?? 'rcpt', times: times ?? Infinity } : null
    case 'drop':
      return readDrop(rest)
    case 'slow':
      return timed(what, (waitMs) => ({ kind: 'slow', waitMs, stage: stage ?? 'dot' }))
    case 'grey':
      return timed(what, (waitMs) => ({ kind: 'grey', waitMs }))
    case 'silent':
      return rest === '' ? { kind: 'silent', cutAfterMs: null } : timed(what, (cutAfterMs) => ({ kind: 'silent', cutAfterMs }))
    case 'say':
      return isSaying(what) ? { kind: 'say', saying: what, stage: stage ?? SAYINGS[what].stage, times: times ?? Infinity } : null
    case 'meet':
      return isPlayable(what) ? { kind: 'meet', behaviour: what, times: times ?? 1 } : null
    default:
      return null
  }
}

/** A cut line is an accident, so without `-xN` it happens once. */
function readDrop(rest: string): Word | null {
  const drop = /^(at-rcpt|in-data|after-dot)(?:-x(\d+))?$/.exec(rest)
  if (drop === null) return null
  const at = drop[1] === 'at-rcpt' ? 'rcpt' : drop[1] === 'in-data' ? 'data' : 'dot'
  return { kind: 'drop', at, times: drop[2] === undefined ? 1 : Number(drop[2]) }
}

function timed(text: string, make: (ms: number) => Word): Word | null {
  const time = TIME.exec(text)
  if (time === null) return null
  const unitMs = time[2] === 'ms' ? 1 : time[2] === 's' ? 1000 : 60_000
  return make(Number(time[1]) * unitMs)
}

const isSaying = (text: string): text is SayingName => Object.hasOwn(SAYINGS, text)

/** Limits that an address can bring about as if somebody had overstepped them. */
export const PLAYABLE = ['session-cap', 'connect-rate', 'mail-rate', 'mails-per-session', 'reputation', 'rcpts-per-mail', 'refused-per-session'] as const
const isPlayable = (text: string): text is (typeof PLAYABLE)[number] => (PLAYABLE as readonly string[]).includes(text)

/** The end that an address's own word decides; null for an ordinary name. */
export function designOfWord(word: Word | null): Design {
  if (word === null) return { end: 'delivered', why: 'plain' }
  switch (word.kind) {
    case 'ok':
    case 'silent':
    case 'slow':
    case 'grey':
    case 'drop':
    case 'meet':
      return { end: 'delivered', why: word.kind }
    case 'unknown':
      return { end: 'refused', why: 'unknown' }
    case 'full':
      return { end: 'never', why: 'full' }
    case 'answer':
      return endOf(word.code, word.times)
    case 'say':
      return endOf(SAYINGS[word.saying].reply.code, word.times)
  }
}

function endOf(code: number, times: number): Design {
  if (times !== Infinity && code < 500) return { end: 'delivered', why: `defer-${code}` }
  return code < 500 ? { end: 'never', why: `defer-${code}` } : { end: 'refused', why: `refuse-${code}` }
}
