import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Around, lending } from './lending.ts'
import { blame, count, MAY_BECOME, newSource, pass, release, type Source, type SourceBlame, type SourceLimits, type Step } from './modes.ts'
import { DEFAULT_RAMP } from '../../../protocol/warmup-config.ts'
import { scoreOf } from './score.ts'

const T0 = Date.UTC(2026, 10, 24)
const MIN = 60_000
const HOUR = 60 * MIN
const DAY = 24 * HOUR
const LIMITS: SourceLimits = { sourceMs: 90 * MIN, hourlyStart: null, ramp: DEFAULT_RAMP, idleMs: 30 * DAY }
const ROW = { sessions: 8, pacePerS: 40 }
const ALONE: Around = { ipMode: 'serving', ipBecause: null, ipUntil: null, noPtr: false, poolRest: null, paceCap: null }
const TS04: SourceBlame = { class: 'reputation', because: 'yahoo/ts04', restMs: 2 * HOUR, threshold: null, needsPerson: false }

/** One pair on a clock of its own, with every change it said. */
class Pair {
  source: Source
  now = T0
  readonly changes: string[] = []
  constructor(warmth: 'warm' | 'cold' = 'warm') {
    this.source = newSource(warmth, LIMITS, T0)
  }
  #take({ source, change }: Step): this {
    this.source = source
    if (change) this.changes.push(`${change.from}>${change.to}`)
    return this
  }
  blame(reply: Partial<SourceBlame> = {}): this {
    return this.#take(blame(this.source, { ...TS04, ...reply }, LIMITS, this.now))
  }
  wait(ms: number): this {
    this.now += ms
    return this.#take(pass(this.source, LIMITS, this.now))
  }
  send(sent: number, blamed = 0, complained = 0): this {
    this.source = count(this.source, { sent, delivered: sent - blamed, blamed, complained }, this.now)
    return this
  }
  release(): this {
    return this.#take(release(this.source, 'mended', this.now))
  }
  lends(around: Partial<Around> = {}) {
    return lending(this.source, ROW, { ...ALONE, ...around }, this.now)
  }
}

describe('a source that is blamed', () => {
  test('cools for the rest its reply teaches and lends nothing meanwhile', () => {
    const pair = new Pair().blame()
    expect(pair.source).toMatchObject({ mode: 'cooling', because: 'yahoo/ts04', until: T0 + 2 * HOUR })
    expect(pair.lends()).toEqual({ lends: false, sessions: 0, pacePerS: 0, budget: null, because: 'yahoo/ts04', until: T0 + 2 * HOUR })
    expect(pair.wait(2 * HOUR - 1).source.mode).toBe('cooling')
    expect(pair.wait(1).source.mode).toBe('recovering')
  })

  test("without a rest of its own it cools for the provider row's", () => {
    expect(new Pair().blame({ restMs: null }).source.until).toBe(T0 + 90 * MIN)
  })

  test('recovers by one session, a quarter, a half, all, a step per clean hour, and then is what it was', () => {
    const pair = new Pair().blame().wait(2 * HOUR)
    const seen = []
    for (let n = 0; n < 5; n++) {
      seen.push([pair.source.mode, pair.lends().sessions, pair.lends().pacePerS])
      pair.send(10).wait(HOUR)
    }
    expect(seen).toEqual([
      ['recovering', 1, 10],
      ['recovering', 2, 10],
      ['recovering', 4, 20],
      ['recovering', 8, 40],
      ['steady', 8, 40],
    ])
    expect(pair.changes).toEqual(['steady>cooling', 'cooling>recovering', 'recovering>steady'])
  })

  test('an hour without mail, or with a blame that is not yet counted, is not clean', () => {
    const idle = new Pair()
      .blame()
      .wait(2 * HOUR)
      .wait(5 * HOUR)
    expect(idle.source.step).toBe(0)
    const struck = new Pair()
      .blame()
      .wait(2 * HOUR)
      .send(10)
    struck.now += 50 * MIN
    struck.send(10, 1).wait(10 * MIN)
    expect(struck.source.step).toBe(0)
    expect(struck.wait(50 * MIN).source.step).toBe(1)
  })

  test('rests twice as long at each return within 24 h, and the fifth time needs a person', () => {
    const pair = new Pair()
    const rests: number[] = []
    for (let n = 0; n < 4; n++) {
      pair.blame({ restMs: HOUR })
      rests.push(((pair.source.until ?? 0) - pair.now) / HOUR)
      pair.wait((pair.source.until ?? 0) - pair.now).send(1)
    }
    expect(rests).toEqual([1, 2, 4, 8])
    pair.blame({ restMs: HOUR })
    expect(pair.source).toMatchObject({ mode: 'blocked', until: pair.now + DAY })
  })

  test('a day later the count is forgotten', () => {
    const pair = new Pair().blame({ restMs: HOUR }).wait(HOUR).send(1)
    pair.now += DAY
    expect(pair.blame({ restMs: HOUR }).source.until).toBe(pair.now + HOUR)
  })

  test('stragglers while it cools lengthen the rest at most, and are no return', () => {
    const pair = new Pair()
      .blame()
      .blame()
      .blame({ restMs: 3 * HOUR })
    expect(pair.source.until).toBe(T0 + 3 * HOUR)
    expect(pair.source.coolings).toHaveLength(1)
  })

  test('a reply with a threshold cools only when it has come so often', () => {
    const noise = { threshold: { count: 3, perMs: HOUR } }
    const pair = new Pair().blame(noise).blame(noise)
    expect(pair.source.mode).toBe('steady')
    pair.now += 2 * HOUR
    expect(pair.blame(noise).blame(noise).source.mode).toBe('steady')
    expect(pair.blame(noise).source.mode).toBe('cooling')
  })
})

describe('a blocked source', () => {
  test('needs a person, and is probed once a day with a mail a minute', () => {
    const pair = new Pair().blame({ needsPerson: true, because: 'microsoft/s3150' })
    expect(pair.source).toMatchObject({ mode: 'blocked', until: T0 + DAY })
    expect(pair.lends().lends).toBe(false)
    pair.wait(DAY)
    expect(pair.source).toMatchObject({ mode: 'recovering', probing: true })
    expect(pair.lends()).toMatchObject({ lends: true, sessions: 1, pacePerS: 1 / 60, because: 'probing' })
    pair.blame()
    expect(pair.source).toMatchObject({ mode: 'blocked', until: T0 + 2 * DAY })
    pair.wait(DAY).send(1)
    expect(pair.source).toMatchObject({ mode: 'recovering', probing: false })
  })

  test('released by a person it recovers step by step', () => {
    const pair = new Pair().blame({ needsPerson: true }).release()
    expect(pair.source).toMatchObject({ mode: 'recovering', probing: false, step: 0, coolings: [] })
  })
})

describe('a source that warms up', () => {
  test('lends what the ramp leaves, and says when there is more', () => {
    const pair = new Pair('cold')
    expect(pair.lends()).toMatchObject({ lends: true, budget: 75 })
    pair.send(75)
    expect(pair.lends()).toMatchObject({ lends: false, budget: 0, because: 'ramp' })
    expect(pair.lends().until).toBeLessThanOrEqual(T0 + 70 * MIN)
    pair.wait((pair.lends().until ?? 0) - pair.now)
    expect(pair.lends()).toMatchObject({ lends: true })
  })

  test('keeps its ramp over a cooling and goes back to warming', () => {
    const pair = new Pair('cold').blame().wait(2 * HOUR)
    for (let n = 0; n < 4; n++) pair.send(1).wait(HOUR)
    expect(pair.source.mode).toBe('warming')
    expect(pair.lends().budget).toBeGreaterThan(0)
  })

  test('becomes steady at the end of the ramp', () => {
    const pair = new Pair('cold')
    let days = 0
    while (pair.source.mode === 'warming' && days++ < 40) {
      for (let hour = 0; hour < 24; hour++) pair.send(Math.floor((pair.lends().budget ?? 0) / 4)).wait(HOUR)
    }
    expect(pair.source.mode).toBe('steady')
    expect(days).toBeLessThan(20)
  })

  test('a steady one without traffic for 30 days warms up again at half of its best day', () => {
    const pair = new Pair().send(40_000).wait(29 * DAY)
    expect(pair.source.mode).toBe('steady')
    expect(pair.wait(DAY).source).toMatchObject({ mode: 'warming', ramp: { limit: 20_000 } })
  })
})

describe('around it', () => {
  test.each([
    ['a quarantined IP', { ipMode: 'quarantined', ipBecause: 'by hand' }, 'by hand'],
    ['a draining IP', { ipMode: 'draining' }, 'draining'],
    ['a pool at rest', { poolRest: { because: 'pool', until: T0 + HOUR } }, 'pool'],
  ] as const)('%s lends nothing and says why', (_, around, because) => {
    expect(new Pair().lends(around)).toMatchObject({ lends: false, sessions: 0, because })
  })

  test('while another of its pool is stopped it keeps the share it had', () => {
    expect(new Pair().lends({ paceCap: 3 })).toMatchObject({ lends: true, sessions: 8, pacePerS: 3 })
  })
})

describe('the score', () => {
  test.each([
    ['nothing known', 0, 0, 0, 1],
    ['all well', 10_000, 0, 0, 1],
    ['a fifth deferred by blame', 10_000, 2_000, 0, 0.44],
    ['complaints at 0.3 %', 10_000, 0, 30, 0.5],
  ])('%s', (_, sent, blamed, complained, score) => {
    const pair = new Pair().send(sent, blamed, complained)
    expect(scoreOf(pair.source.score, 'steady', pair.now)).toBeCloseTo(score, 1)
  })

  test('is low while it is stopped, and forgives in days', () => {
    const pair = new Pair().send(1_000, 500)
    expect(scoreOf(pair.source.score, 'blocked', pair.now)).toBeLessThanOrEqual(0.1)
    expect(scoreOf(pair.source.score, 'cooling', pair.now)).toBeLessThanOrEqual(0.5)
    expect(scoreOf(pair.source.score, 'steady', pair.now + 14 * DAY)).toBeGreaterThan(0.9)
  })
})

test('whatever happens for thousands of steps, only what MAY_BECOME names happens, and what is stopped lends nothing', () => {
  const event = fc.record({
    what: fc.constantFrom('blame', 'block', 'strike', 'send', 'wait', 'release'),
    afterMs: fc.oneof(fc.integer({ min: 0, max: 10 * MIN }), fc.integer({ min: 0, max: 3 * DAY }), fc.constant(31 * DAY)),
    n: fc.integer({ min: 0, max: 5_000 }),
    restMs: fc.option(fc.integer({ min: 1, max: 40 * HOUR })),
  })
  fc.assert(
    fc.property(fc.constantFrom('warm' as const, 'cold' as const), fc.array(event, { maxLength: 200 }), (warmth, events) => {
      const pair = new Pair(warmth)
      for (const { what, afterMs, n, restMs } of events) {
        const was = pair.source.mode
        pair.wait(afterMs)
        const between = pair.source.mode
        if (between !== was) expect(MAY_BECOME[was]).toContain(between)
        if (what === 'blame') pair.blame({ restMs })
        if (what === 'block') pair.blame({ needsPerson: true })
        if (what === 'strike') pair.blame({ threshold: { count: 3, perMs: HOUR } })
        if (what === 'send') pair.send(n, Math.min(n, n % 3))
        if (what === 'release') pair.release()
        const { mode, until } = pair.source
        if (mode !== between) expect(MAY_BECOME[between]).toContain(mode)
        const lends = pair.lends()
        if (mode === 'cooling' || mode === 'blocked') {
          expect([lends.lends, lends.sessions, lends.pacePerS]).toEqual([false, 0, 0])
          expect((until ?? 0) - pair.now).toBeLessThanOrEqual(DAY)
          expect(pair.source.because).not.toBeNull()
        } else if (lends.lends) {
          expect(lends.sessions).toBeGreaterThanOrEqual(1)
          expect(lends.sessions).toBeLessThanOrEqual(ROW.sessions)
          expect(lends.pacePerS).toBeLessThanOrEqual(ROW.pacePerS)
        } else expect(lends.until).toBeGreaterThan(pair.now)
        const score = scoreOf(pair.source.score, mode, pair.now)
        expect(score >= 0 && score <= 1).toBe(true)
      }
    }),
    { numRuns: 100 },
  )
})
