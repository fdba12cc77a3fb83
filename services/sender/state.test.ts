import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bitsOf, fullMask, maskOf } from '../../protocol/mask.ts'
import type { Batch, Order } from '../../protocol/messages/mail.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { DEFAULT_RETRY } from '../../protocol/retry.ts'
import { endOf, giveBack, type Opening, openWork, take, tell, type Work } from './state.ts'

const NOW = 1_800_000_000_000

function batch(size: number): Batch {
  const recipients = Array.from({ length: size }, (_, n) => ({ address: `r${n}@example.jp`, name: null, ref: null, vars: null }))
  return { v: 1, tenant: 'acme', campaign: 'spring', kind: 'marketing', site: 'example.jp', provider: null, shard: 't01', content: 'c', first: 0, recipients }
}

function workOf(size: number, order: Partial<Order> = {}, prior: Outcome[] = [], maybe: Uint8Array = new Uint8Array(0)): Work {
  return openWork({ ...opening(size, order), prior, maybe })
}

function opening(size: number, order: Partial<Order> = {}): Opening {
  const whole: Order = {
    v: 1,
    tenant: 'acme',
    campaign: 'spring',
    kind: 'marketing',
    lane: 'bulk',
    site: 'example.jp',
    provider: null,
    pool: 'acme',
    batch: 7,
    mask: fullMask(size),
    count: size,
    attempt: 0,
    deadline: NOW + 86_400_000,
    ...order,
  }
  const held = { order: whole, seq: 9, ackSubject: 'a' }
  const maybe = new Uint8Array(0)
  return { held, batchSeq: 7, batch: batch(size), claimSeq: 3, maybe, prior: [], now: NOW, dice: () => 0.5, policy: DEFAULT_RETRY, ratePace: null }
}

function outcome(n: number, word: Outcome['outcome'], more: Partial<Outcome> = {}): Outcome {
  return {
    n,
    ref: null,
    rcpt: `r${n}@example.jp`,
    outcome: word,
    stage: 'rcpt',
    code: word === 'delivered' ? 250 : 450,
    enhanced: null,
    reply: 'said',
    class: word === 'delivered' ? 'delivered' : 'site-busy',
    blames: word === 'delivered' ? 'nobody' : 'site',
    mx: 'mx.example.jp',
    ip: '127.0.1.1',
    site: 'example.jp',
    ms: 5,
    ...more,
  }
}

const telling = { retryAfterMs: null, now: NOW, dice: () => 0.5, policy: DEFAULT_RETRY }
const letGo = { because: 'lease-end' as const, notBefore: NOW }

describe('the work on one order', () => {
  it('is settled when everybody has a final outcome', () => {
    const work = workOf(3)
    for (let n = take(work); n !== null; n = take(work)) tell(work, outcome(n, 'delivered'), telling)
    expect(endOf(work, letGo)).toEqual({ kind: 'settled' })
  })

  it('gives one retry order for all who are deferred and all who had no turn', () => {
    const work = workOf(4)
    const first = take(work) as number
    tell(work, outcome(first, 'delivered'), telling)
    const second = take(work) as number
    tell(work, outcome(second, 'deferred', { class: 'greylisted', blames: 'nobody' }), telling)
    const end = endOf(work, letGo)
    expect(end.kind).toBe('later')
    if (end.kind !== 'later') return
    expect(bitsOf(end.order.mask)).toEqual([1, 2, 3])
    expect(end.order.attempt).toBe(1)
    expect(end.order.stick?.ip).toBe('127.0.1.1')
    expect(end.at).toBe(NOW) // those who had no turn are due at once; the greylisted one brings its own time along
    expect(end.order.notBefore?.[0]).toBeGreaterThan(NOW / 1_000)
    expect([...(end.order.charged ?? [])]).toEqual([1, 0, 0])
  })

  it('says that a deferral whose time is over has expired', () => {
    const work = workOf(1, { deadline: NOW + 1_000 })
    const n = take(work) as number
    expect(tell(work, outcome(n, 'deferred'), telling).outcome).toBe('expired')
    expect(endOf(work, letGo)).toEqual({ kind: 'settled' })
  })

  it('gives up a 5xx that blames our address after three refusals, as blocked', () => {
    const work = workOf(1, { refusals: Uint8Array.of(2) })
    const n = take(work) as number
    const told = tell(work, outcome(n, 'deferred', { code: 550, class: 'reputation', blames: 'source' }), telling)
    expect(told).toMatchObject({ outcome: 'bounced', class: 'blocked' })
  })

  it('leaves recipients alone that are not due yet, and hands their time on', () => {
    const later = NOW / 1_000 + 600
    const work = workOf(2, { notBefore: [0, later] })
    expect(work.open.size).toBe(1)
    const n = take(work) as number
    tell(work, outcome(n, 'delivered'), telling)
    const end = endOf(work, letGo)
    if (end.kind !== 'later') throw new Error('no order')
    expect(bitsOf(end.order.mask)).toEqual([1])
    expect(end.at).toBe(later * 1_000)
  })

  it('sends who was not asked at a backup MX there again, and keeps no such word once somebody was', () => {
    const later = NOW / 1_000 + 600
    const next = (word: Outcome['outcome']) => {
      const work = workOf(2, { notBefore: [0, later], after: 'first.example' })
      tell(work, outcome(take(work) as number, word, { class: word === 'delivered' ? 'delivered' : 'unreachable' }), telling)
      const end = endOf(work, letGo)
      if (end.kind !== 'later') throw new Error('no order')
      return { because: end.order.because, after: end.order.after }
    }
    expect(next('delivered')).toEqual({ because: undefined, after: 'first.example' })
    expect(next('deferred')).toEqual({ because: 'unreachable', after: undefined })
  })

  it('asks nobody before their time: one order for who is due within five seconds, at the last of their times; the others keep their own', () => {
    const seconds = fc.array(fc.integer({ min: 60, max: 400 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(seconds, fc.double({ min: 0, max: 0.99, noNaN: true }), (waits, roll) => {
        const work = workOf(waits.length)
        const notBefores = waits.map((waitS, n) => {
          const retryAfterMs = waitS * 1_000
          const { until } = tell(work, outcome(take(work) ?? n, 'deferred', { class: 'greylisted', blames: 'nobody' }), {
            ...telling,
            retryAfterMs,
            dice: () => roll,
          })
          return Date.parse(until ?? '')
        })
        const end = endOf(work, letGo)
        if (end.kind !== 'later') throw new Error('no order')
        const again = openWork({ ...opening(waits.length, end.order), now: end.at })
        const dueThen = bitsOf(end.order.mask).filter((n) => again.open.has(n))
        expect(dueThen.filter((n) => (notBefores[n] ?? 0) > end.at)).toEqual([])
        const first = Math.min(...notBefores)
        expect(dueThen).toEqual(expect.arrayContaining(waits.flatMap((_, n) => ((notBefores[n] ?? 0) <= first + 5_000 ? [n] : []))))
        expect(end.at - first).toBeLessThanOrEqual(6_000)
      }),
    )
  })

  it('takes over what an earlier holder made durable and flags who had no outcome', () => {
    const prior = [outcome(0, 'delivered'), outcome(1, 'deferred')]
    const work = workOf(3, {}, prior, maskOf([2], 3))
    expect(work.open.size).toBe(1)
    const n = take(work) as number
    expect(n).toBe(2)
    expect(tell(work, outcome(2, 'delivered'), telling).mayBeDuplicate).toBe(true)
    const end = endOf(work, letGo)
    if (end.kind !== 'later') throw new Error('no order')
    expect(bitsOf(end.order.mask)).toEqual([1])
  })

  it('loses and doubles nobody, whatever happens in whatever order', () => {
    const step = fc.record({
      word: fc.constantFrom('delivered', 'bounced', 'deferred', 'back'),
      class: fc.constantFrom('site-busy', 'greylisted', 'mailbox-full', 'unreachable' as const),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step, { maxLength: 250 }), (size, steps) => {
        const work = workOf(size)
        const final = new Set<number>()
        for (const { word, class: replyClass } of steps) {
          const n = take(work)
          if (n === null) break
          if (word === 'back') giveBack(work, n)
          else if (
            tell(work, outcome(n, word as Outcome['outcome'], word === 'deferred' ? { class: replyClass as Outcome['class'] } : {}), telling).outcome !==
            'deferred'
          ) {
            expect(final.has(n)).toBe(false)
            final.add(n)
          }
        }
        const end = endOf(work, letGo)
        const again = end.kind === 'later' ? bitsOf(end.order.mask) : []
        expect([...final, ...again].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, n) => n))
        if (end.kind === 'later') expect(end.order.count).toBe(again.length)
      }),
    )
  })
})
