import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../protocol/codec.ts'
import type { Outcome } from '../../../protocol/outcome.ts'
import type { EpochMs, ReplyClass } from '../../../protocol/words.ts'
import { Hygiene, type HygieneRules, type Say } from './hygiene.ts'
import { type HygieneMemory, recall, remember } from './hygiene-memory.ts'

const DAY_MS = 86_400_000
const RULES: HygieneRules = { unknownForMs: 180 * DAY_MS, strikes: 3, overMs: 15 * DAY_MS, settleMs: 30_000, holdMs: DAY_MS }
const T0 = Date.UTC(2026, 10, 1)

function outcome(rcpt: string, what: Partial<Outcome> = {}): Outcome {
  const none = { n: 0, ref: null, code: null, enhanced: null, reply: null, mx: null, ip: '127.0.1.1', site: 'google', ms: 1, blames: 'recipient' as const }
  return { ...none, rcpt, outcome: 'delivered', stage: 'dot', class: 'delivered', ...what }
}
const refused = (rcpt: string, replyClass: ReplyClass, more: Partial<Outcome> = {}) =>
  outcome(rcpt, { outcome: 'bounced', stage: 'rcpt', class: replyClass, code: 550, enhanced: '5.1.1', reply: 'no such user', suppress: true, ...more })
const many = (count: number, make: (rcpt: string) => Outcome, name = 'r') => Array.from({ length: count }, (_, at) => make(`${name}${at}@gmail.com`))

function hear(hygiene: Hygiene, outcomes: readonly Outcome[], at: EpochMs = T0): Say[] {
  return hygiene.observe({ tenant: 'acme', campaign: 'c', at, outcomes }, RULES, at, () => 0.05)
}
const entries = (says: readonly Say[]) => says.flatMap((say) => (say.say === 'write' ? [say.entry] : []))
const held = (says: readonly Say[]) => says.flatMap((say) => (say.say === 'hold' ? [say.verdict.rcpt] : []))

describe('an unknown user', () => {
  it('is suppressed for 180 days, with the reply that said so, once the site has shown that it knows others', () => {
    const hygiene = new Hygiene()
    expect(entries(hear(hygiene, [refused('Taro@gmail.com', 'unknown-user')]))).toEqual([])
    expect(
      entries(
        hear(
          hygiene,
          many(100, (rcpt) => outcome(rcpt)),
        ),
      ),
    ).toEqual([
      {
        address: 'Taro@gmail.com',
        reason: 'unknown-user',
        since: new Date(T0).toISOString(),
        until: new Date(T0 + 180 * DAY_MS).toISOString(),
        reply: '550 5.1.1 no such user',
      },
    ])
  })

  it('is not suppressed where the row does not say so', () => {
    const hygiene = new Hygiene()
    const quiet = { suppress: false }
    expect(
      entries([
        ...hear(hygiene, [refused('a@gmail.com', 'unknown-user', quiet)]),
        ...hear(
          hygiene,
          many(300, (rcpt) => outcome(rcpt)),
        ),
      ]),
    ).toEqual([])
  })

  it('alone is believed by time', () => {
    const hygiene = new Hygiene()
    hear(hygiene, [refused('a@gmail.com', 'unknown-user')])
    expect(hygiene.settle(RULES, T0 + 29_999)).toEqual([])
    expect(entries(hygiene.settle(RULES, T0 + 30_000))).toHaveLength(1)
    expect(hygiene.pending).toBe(0)
  })
})

describe('the brake', () => {
  it('holds every verdict of the run, writes none, and tells once that it was pulled', () => {
    const hygiene = new Hygiene()
    hear(
      hygiene,
      many(500, (rcpt) => outcome(rcpt)),
    )
    const says = many(300, (rcpt) => refused(rcpt, 'unknown-user'), 'valid').flatMap((one) => hear(hygiene, [one]))
    expect(entries(says)).toEqual([])
    expect(held(says)).toHaveLength(300)
    expect(says.filter(({ say }) => say === 'brake')).toMatchObject([{ is: 'pulled', site: 'google' }])
    expect(hygiene.heldGroups()).toMatchObject([{ tenant: 'acme', site: 'google', count: 300 }])
  })

  function braked(): Hygiene {
    const hygiene = new Hygiene()
    hear(hygiene, [...many(500, (rcpt) => outcome(rcpt)), ...many(100, (rcpt) => refused(rcpt, 'unknown-user'), 'valid')])
    hear(
      hygiene,
      many(600, (rcpt) => outcome(rcpt), 'later'),
    )
    return hygiene
  }

  it('lets a clean retry a day later confirm a held verdict, an earlier one not, and a delivery refute it', () => {
    const hygiene = braked()
    expect(hygiene.isHeld('acme', 'Valid0@gmail.com')).toBe(true)
    const soon = hear(hygiene, [refused('valid0@gmail.com', 'unknown-user'), ...many(200, (rcpt) => outcome(rcpt))], T0 + DAY_MS / 2)
    expect(entries(soon)).toEqual([])
    expect(hygiene.isHeld('acme', 'valid0@gmail.com')).toBe(true)
    const dayLater = hear(hygiene, [refused('valid0@gmail.com', 'unknown-user'), ...many(200, (rcpt) => outcome(rcpt))], T0 + DAY_MS)
    expect(entries(dayLater)).toMatchObject([{ address: 'valid0@gmail.com' }])
    hear(hygiene, [outcome('valid1@gmail.com')], T0 + DAY_MS)
    expect(hygiene.isHeld('acme', 'valid1@gmail.com')).toBe(false)
    expect(hygiene.heldGroups()).toMatchObject([{ count: 98 }])
  })

  it('forgets a group of which nothing is left', () => {
    const hygiene = braked()
    for (let n = 0; n < 100; n++) hygiene.letGo('acme', `valid${n}@gmail.com`)
    expect(hygiene.heldGroups()).toEqual([])
    expect(hygiene.groups.size).toBe(0)
  })

  it('is the same after a restart, with what is pending and held', () => {
    const before = new Hygiene()
    hear(
      before,
      many(500, (rcpt) => outcome(rcpt)),
    )
    hear(
      before,
      many(15, (rcpt) => refused(rcpt, 'unknown-user'), 'valid'),
    )
    expect(before.pending).toBe(15)
    const after = recall(decode<HygieneMemory>(encode(remember(before, 7))))
    expect(after.pending).toBe(15)
    const says = many(100, (rcpt) => refused(rcpt, 'unknown-user'), 'more').flatMap((one) => hear(after, [one]))
    expect(entries(says)).toEqual([])
    expect(held(says)).toHaveLength(115)
    const again = recall(decode<HygieneMemory>(encode(remember(after, 8))))
    expect(again.heldGroups()).toEqual(after.heldGroups())
    expect(again.isHeld('acme', 'valid3@gmail.com')).toBe(true)
  })
})

describe('three strikes', () => {
  const full = (at: EpochMs, hygiene: Hygiene) => entries(hear(hygiene, [refused('full@gmail.com', 'mailbox-full', { outcome: 'expired' })], at))

  it('take three consecutive failures with more than 15 days from first to last', () => {
    const hygiene = new Hygiene()
    expect([0, 7, 14].flatMap((day) => full(T0 + day * DAY_MS, hygiene))).toEqual([])
    expect(full(T0 + 15 * DAY_MS, hygiene)).toEqual([])
    expect(full(T0 + 16 * DAY_MS, hygiene)).toMatchObject([
      { address: 'full@gmail.com', reason: 'mailbox-full', until: new Date(T0 + 196 * DAY_MS).toISOString() },
    ])
  })

  it('begin anew after a success', () => {
    const hygiene = new Hygiene()
    full(T0, hygiene)
    full(T0 + 10 * DAY_MS, hygiene)
    hear(hygiene, [outcome('full@gmail.com')], T0 + 11 * DAY_MS)
    expect(full(T0 + 20 * DAY_MS, hygiene)).toEqual([])
    expect(full(T0 + 30 * DAY_MS, hygiene)).toEqual([])
    expect(full(T0 + 36 * DAY_MS, hygiene)).toHaveLength(1)
  })

  it('take two failures never, however far apart, and survive a restart', () => {
    const hygiene = new Hygiene()
    full(T0, hygiene)
    expect(full(T0 + 100 * DAY_MS, hygiene)).toEqual([])
    expect(full(T0 + 101 * DAY_MS, recall(decode<HygieneMemory>(encode(remember(hygiene, 1)))))).toHaveLength(1)
  })

  it('are also for ambiguous answers at sites that take others, for no domain and null MX; a deferral is none', () => {
    for (const replyClass of ['ambiguous-user', 'mailbox-disabled', 'no-such-domain', 'null-mx'] as const) {
      const hygiene = new Hygiene()
      const stage = replyClass === 'no-such-domain' || replyClass === 'null-mx' ? null : 'rcpt'
      const says = [0, 8, 16].flatMap((day) => [
        ...hear(hygiene, [refused('a@gmail.com', replyClass, { stage }), refused('a@gmail.com', replyClass, { outcome: 'deferred' })], T0 + day * DAY_MS),
        ...hear(
          hygiene,
          many(150, (rcpt) => outcome(rcpt)),
          T0 + day * DAY_MS,
        ),
      ])
      expect(entries(says), replyClass).toHaveLength(1)
    }
  })
})

describe('breakers', () => {
  it('stop the campaign at the site and let others alone', () => {
    const hygiene = new Hygiene()
    const says = many(260, (rcpt) => refused(rcpt, 'unknown-user')).flatMap((one) => hear(hygiene, [one]))
    expect(says.filter(({ say }) => say === 'trip')).toMatchObject([{ tenant: 'acme', campaign: 'c', site: 'google', tripped: { because: 'unknown-users' } }])
  })

  it('forget what was still on its way when a person lets the campaign go on', () => {
    const hygiene = new Hygiene()
    const unknowns = many(230, (rcpt) => refused(rcpt, 'unknown-user'))
    unknowns.flatMap((one) => hear(hygiene, [one]))
    hygiene.forgive('acme', 'c', 'google')
    const says = many(600, (rcpt) => outcome(rcpt)).flatMap((one) => hear(hygiene, [one]))
    expect(says.filter(({ say }) => say === 'trip')).toEqual([])
  })
})
