import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { World } from './world.testkit.ts'

const SOURCES = [
  { address: '192.0.2.1', pool: 'p' },
  { address: '192.0.2.2', pool: 'p' },
  { address: '192.0.2.3', pool: 'q' },
]
const calm = { seed: 1, sources: SOURCES, senders: 2, loss: 0, delayMs: 4, sessions: 5 }

describe('a router in calm weather', () => {
  test('places every order and holds the limit', () => {
    const world = new World(calm)
    for (let n = 0; n < 60; n++) world.addOrder({ site: `s${n % 3}.example`, pool: n % 4 === 0 ? 'q' : 'p' })
    world.run(30_000)
    expect(world.open).toBe(0)
    expect(world.broken).toEqual([])
    expect(world.most).toBeGreaterThan(1)
  })
})

type Trouble =
  | 'killOwner'
  | 'killOwnerSeen'
  | 'releaseOwner'
  | 'killSender'
  | 'cutSender'
  | 'stopSender'
  | 'addSender'
  | 'stopSource'
  | 'resumeSource'
  | 'orders'
  | 'wait'
const TROUBLES: readonly Trouble[] = [
  'killOwner',
  'killOwnerSeen',
  'releaseOwner',
  'killSender',
  'cutSender',
  'stopSender',
  'addSender',
  'stopSource',
  'resumeSource',
  'orders',
  'wait',
]

describe('a router in any weather', () => {
  const story = fc.record({
    seed: fc.integer(),
    loss: fc.constantFrom(0, 0.02, 0.2),
    delayMs: fc.constantFrom(2, 60, 300),
    sessions: fc.integer({ min: 1, max: 8 }),
    sessionsPerSender: fc.constantFrom(3, 20),
    steps: fc.array(fc.record({ what: fc.constantFrom(...TROUBLES), afterMs: fc.integer({ min: 1, max: 4_000 }), pick: fc.nat(20) }), {
      minLength: 1,
      maxLength: 14,
    }),
  })

  test('never lends more sessions per (IP × site) than allowed, whatever dies, is cut off or taken over', () => {
    fc.assert(
      fc.property(story, ({ steps, ...rest }) => {
        const world = new World({ ...calm, ...rest })
        for (let n = 0; n < 20; n++) world.addOrder({ site: `s${n % 2}.example`, pool: n % 3 === 0 ? 'q' : 'p', count: 40 })
        for (const { what, afterMs, pick } of steps) {
          world.run(afterMs)
          act(world, what, pick)
        }
        world.run(5_000)
        expect(world.broken).toEqual([])
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  test('leaves no order behind once the weather is calm again', () => {
    fc.assert(
      fc.property(story, ({ steps, ...rest }) => {
        const world = new World({ ...calm, ...rest, loss: 0, delayMs: 10 })
        for (let n = 0; n < 20; n++) world.addOrder({ site: `s${n % 2}.example`, pool: n % 3 === 0 ? 'q' : 'p', count: 20 })
        for (const { what, afterMs, pick } of steps) {
          world.run(afterMs)
          act(world, what, pick)
        }
        for (const { address } of SOURCES) for (const site of ['s0.example', 's1.example']) world.setLends(address, site, true)
        world.addSender()
        world.run(150_000)
        expect(world.open).toBe(0)
        expect(new Set(world.finished).size).toBe(world.finished.length)
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})

function act(world: World, what: Trouble, pick: number): void {
  const sender = world.senders.filter(({ alive }) => alive)[pick % Math.max(1, world.senders.filter(({ alive }) => alive).length)]
  const { address } = SOURCES[pick % SOURCES.length] as (typeof SOURCES)[number]
  const site = `s${pick % 2}.example`
  switch (what) {
    case 'killOwner':
      return world.killOwner(3_250)
    case 'killOwnerSeen':
      return world.killOwner(300)
    case 'releaseOwner':
      return world.releaseOwner()
    case 'killSender':
      return sender?.kill()
    case 'cutSender':
      return sender?.cut(500 + pick * 400)
    case 'stopSender':
      return sender?.stop()
    case 'addSender':
      return world.addSender()
    case 'stopSource':
      return world.setLends(address, site, false)
    case 'resumeSource':
      return world.setLends(address, site, true)
    case 'orders':
      for (let n = 0; n < 10; n++) world.addOrder({ site, pool: 'p', lane: pick % 2 ? 'urgent' : 'bulk' })
      return
    case 'wait':
      return world.run(3_000)
  }
}
