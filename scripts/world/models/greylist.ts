/** Greylisting by (source network, return path, recipient): too early is 450, and who comes back after `waitMs` is known for good. */
import type { Behaviour } from './behaviour.ts'
import { reply, type Reply } from './reply.ts'

/** triplet → first seen (epoch ms) */
export type GreyState = Map<string, number>
export type Greyed = { readonly kind: 'known' } | { readonly kind: 'early'; readonly leftMs: number }

/** Enough for a demo's every recipient; beyond it the oldest triplets are forgotten, as real greylists do. */
const TRIPLETS_MAX = 1_000_000

export function triplet(source: string, from: string, to: string): string {
  // IPv4 by /24, IPv6 by /64: what postgrey and most others do
  const network = source.includes(':') ? source.split(':').slice(0, 4).join(':') : source.slice(0, source.lastIndexOf('.'))
  return `${network} ${from} ${to}`
}

export function greylisted(state: GreyState, key: string, now: number, waitMs: number): Greyed {
  const first = state.get(key)
  if (first === undefined) {
    if (state.size >= TRIPLETS_MAX) forgetOldest(state)
    state.set(key, now)
    return { kind: 'early', leftMs: waitMs }
  }
  return now - first >= waitMs ? { kind: 'known' } : { kind: 'early', leftMs: waitMs - (now - first) }
}

function forgetOldest(state: GreyState): void {
  const oldest = state.keys().next()
  if (oldest.done !== true) state.delete(oldest.value)
}

/** Names the whole seconds left, as postgrey does. */
export function greyReply(leftMs: number): Reply {
  return reply(450, '4.2.0', `Greylisted, see http://postgrey.schweikert.ch/help/. Please try again in ${Math.max(1, Math.ceil(leftMs / 1000))} seconds`)
}

/** For ordinary names; an address word overrides it. */
export function greylist(waitMs: number): Behaviour<GreyState> {
  return {
    name: 'greylist',
    provokedBy: 'traffic',
    hears: ['rcpt'],
    start: () => new Map(),
    hear(state, event, { now, session, word }) {
      if (event.on !== 'rcpt' || word !== null || session.mail === null) return null
      const greyed = greylisted(state, triplet(session.source, session.mail.from, event.to), now, waitMs)
      if (greyed.kind === 'known') return null
      return { state, answer: { reply: greyReply(greyed.leftMs), because: 'greylist', then: 'stay' } }
    },
  }
}
