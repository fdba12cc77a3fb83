/** What one sender does with an order, against a real server: claims that get lost, copies, and retry orders of others. */
import { beforeAll, describe, expect, it } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import { fullMask } from '../../protocol/mask.ts'
import { type Batch, carried, type HeldOrder, type Order } from '../../protocol/messages/mail.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { DEFAULT_RETRY } from '../../protocol/retry.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import { Infrastructure } from '../../services/runtime/errors.ts'
import { restOrder } from '../../services/runtime/retry-order.ts'
import { Journal } from '../../services/sender/journal.ts'
import { Orders } from '../../services/sender/orders.ts'
import { take, tell, type Work } from '../../services/sender/state.ts'
import { natsForFile, until, withFaults } from '../kit/bus.ts'

const here = natsForFile()
beforeAll(() => here.bus.ensureStreams(STREAMS))

let count = 0
async function orderOf(size: number, change: Partial<Order> = {}): Promise<HeldOrder> {
  const campaign = `c${++count}`
  const names = { tenant: 'acme', campaign, kind: 'notice', site: 'example.jp', provider: null } as const
  const recipients = Array.from({ length: size }, (_, n) => ({ address: `r${n}@example.jp`, name: null, ref: null, vars: null }))
  const batch: Batch = { v: 1, ...names, shard: 't01', content: 'c', first: 0, recipients }
  const batchSeq = await stored(subject('batch', { tenant: 'acme', campaign, site: 'example_jp' }), encode(batch))
  const body = {
    v: 1,
    ...names,
    lane: 'bulk',
    pool: 'p',
    batch: batchSeq,
    mask: fullMask(size),
    count: size,
    attempt: 0,
    deadline: Date.now() + 86_400_000,
  } as const
  const order: Order = { ...body, ...change }
  return { order, seq: await stored(subject('order', { shard: 't01', lane: 'bulk' }), encode(order)), ackSubject: 'nobody.hears' }
}
/** The first copy of an order that brings its batch along, in place of one that names it. */
async function inlineOf(size: number): Promise<HeldOrder> {
  const { order } = await orderOf(size)
  const batch = (await here.bus.readSeq(STREAM.mail, order.batch))?.body as Uint8Array
  const inline = { ...order, batch: 0, inline: batch }
  return { order: inline, seq: await stored(subject('order', { shard: 't01', lane: 'bulk' }), encode(inline)), ackSubject: 'nobody.hears' }
}
async function stored(on: string, body: Uint8Array): Promise<number> {
  const answer = await here.bus.store(on, body)
  if (answer.kind !== 'stored') throw new Error(answer.message)
  return answer.seq
}

/** A sender's orders; everybody named in `alive` lives. */
function ordersOf(sender: string, options: { bus?: Bus; alive?: readonly string[]; isHeld?: () => boolean } = {}) {
  const bus = options.bus ?? here.bus
  const journal = new Journal({ bus, mono: () => performance.now(), wall: Date.now, onTrouble: () => {} })
  const orders = new Orders({
    bus,
    sender,
    journal,
    isAlive: async (id) => (options.alive ?? ['a', 'b']).includes(id),
    isHeld: options.isHeld ?? (() => false),
    policy: () => DEFAULT_RETRY,
    clock: systemClock,
    dice: () => 0.5,
    log: here.log,
  })
  return { orders, journal }
}
function lossy(lose: Partial<Pick<Bus, 'store' | 'fetchSeq'>>): Bus {
  return withFaults(here.bus, lose)
}
const cut = () => new Infrastructure('cut', 'the connection broke')
const letGo = { because: 'lease-end', notBefore: 0 } as const

function delivered(work: Work, n: number): Outcome {
  const blank = { ref: null, enhanced: null, reply: 'ok', mx: null, ip: null, ms: 1, site: 'example.jp' }
  const verdict: Outcome = { n, rcpt: `r${n}@example.jp`, outcome: 'delivered', stage: 'dot', code: 250, class: 'delivered', blames: 'nobody', ...blank }
  return tell(work, verdict, { retryAfterMs: null, now: Date.now(), dice: () => 0.5, policy: DEFAULT_RETRY })
}

describe('an order at a sender', () => {
  it('goes to another sender when it is not known whether its claim stands', async () => {
    let claims = 0
    const held = await orderOf(3)
    const bus = lossy({
      async store(on, body, options) {
        const answer = await here.bus.store(on, body, options)
        if (on.startsWith('claim.') && claims++ === 0) throw cut() // it stands, and nobody knows
        return answer
      },
    })
    expect(await ordersOf('a', { bus }).orders.open(held)).toBeNull()
    const other = ordersOf('b').orders
    let work: Work | null = null
    await until('the other has it', async () => {
      work = await other.open(held)
      return work !== null
    })
    expect((work as Work | null)?.open.size).toBe(3)
  })

  it('brings a small batch along: nothing is fetched or removed, and the retry order brings it again', async () => {
    const held = await inlineOf(2)
    const bus = lossy({
      async fetchSeq() {
        throw new Error('nothing is to be fetched')
      },
    })
    const { orders, journal } = ordersOf('a', { bus })
    const work = (await orders.open(held)) as Work
    expect([work.batchSeq, [...work.open], work.batch.recipients.length]).toEqual([held.seq, [0, 1], 2])
    take(work)
    journal.add(work, delivered(work, 0))
    await orders.finish(work, { ...letGo, notBefore: Date.now() + 60_000 })
    const on = subject('laterRetry', { tenant: 'acme', campaign: held.order.campaign, batch: held.seq })
    const resting = decode<Order>((await here.bus.readLast(STREAM.mail, on))?.body as Uint8Array)
    expect(resting).toMatchObject({ attempt: 1, batch: held.seq, count: 1 })
    expect(await here.bus.readSeq(STREAM.mail, held.seq)).not.toBeNull() // its ack takes it away, nobody else

    const next = (await ordersOf('b', { bus }).orders.open({ ...held, seq: held.seq + 500, order: resting })) as Work
    expect([next.batchSeq, [...next.open], next.batch.recipients[1]?.address]).toEqual([held.seq, [1], 'r1@example.jp'])
  })

  it('is acked by whoever gets it when everybody in it has an outcome and only the ack was lost, though its holder lives', async () => {
    for (const held of [await orderOf(2), await inlineOf(2)]) {
      const { orders, journal } = ordersOf('a')
      const work = (await orders.open(held)) as Work
      const acked: string[] = []
      const bus = withFaults(here.bus, { ack: (on) => void acked.push(on) })
      for (const n of [0, 1]) {
        take(work)
        journal.add(work, delivered(work, n))
        if (n === 0) await journal.settled(work)
        const copy = await ordersOf('b', { bus }).orders.open(held)
        expect([copy, acked.length]).toEqual([null, 0]) // somebody is still at work on it
      }
      await orders.finish(work, letGo)
      expect(await ordersOf('b', { bus }).orders.open(held)).toBeNull()
      expect(acked).toEqual([held.ackSubject])
    }
  })

  it('goes to another sender when its batch could not be read after the claim', async () => {
    const held = await orderOf(3)
    const bus = lossy({
      async fetchSeq() {
        throw cut()
      },
    })
    expect(await ordersOf('a', { bus }).orders.open(held)).toBeNull()
    const other = ordersOf('b').orders
    await until('the other has it', async () => (await other.open(held)) !== null)
  })

  it('is worked on once, though two leases of one sender bring it', async () => {
    const held = await orderOf(3)
    const { orders } = ordersOf('a')
    const works = await Promise.all([orders.open(held), orders.open({ ...held, seq: held.seq + 1_000, order: carried(held) })])
    expect(works.map((work) => work !== null)).toEqual([true, false])
  })

  it('is over once it has ended: a copy of it is acked, not sent again', async () => {
    const held = await orderOf(2)
    const { orders, journal } = ordersOf('a')
    const work = (await orders.open(held)) as Work
    take(work)
    journal.add(work, delivered(work, 0))
    await orders.finish(work, { ...letGo, notBefore: Date.now() + 60_000 }) // recipient 1 goes on in the retry order
    expect(await orders.open({ ...held, seq: held.seq + 1_000, order: carried(held) })).toBeNull()
    expect(await orders.open({ ...held, seq: held.seq + 2_000, order: { ...carried(held), id: held.seq + 2_000, attempt: 1 } })).not.toBeNull()
  })

  it('comes back with an identity of its own for the next attempt', async () => {
    const held = await orderOf(2)
    const { orders } = ordersOf('a')
    const work = (await orders.open({ ...held, order: carried(held) })) as Work
    await orders.finish(work, { ...letGo, notBefore: Date.now() + 60_000 })
    const on = subject('laterRetry', { tenant: 'acme', campaign: held.order.campaign, batch: work.batchSeq })
    const resting = await here.bus.readLast(STREAM.mail, on)
    const order = decode<Order>(resting?.body as Uint8Array)
    expect(order).toMatchObject({ attempt: 1, count: 2, batch: work.batchSeq })
    expect(order.id).toBeUndefined()
  })

  it('is let go of when its campaign is held while it is being claimed', async () => {
    const held = await orderOf(2)
    let isHeld = false
    const bus = lossy({
      async fetchSeq(stream, seq) {
        isHeld = true
        return here.bus.fetchSeq(stream, seq)
      },
    })
    const work = await ordersOf('a', { bus, isHeld: () => isHeld }).orders.open(held)
    expect(work?.letGo).toMatchObject({ because: 'lease-end' })
  })

  it("does not put its retry order over a later attempt's: it was stopped for long, and others have gone on", async () => {
    const held = await orderOf(2)
    const { orders } = ordersOf('a')
    const work = (await orders.open(held)) as Work
    const later = { ...carried(held), attempt: 2, count: 1 }
    await restOrder(here.bus, work.batchSeq, later, Date.now() + 3_600_000)
    await orders.finish(work, { ...letGo, notBefore: Date.now() + 60_000 })
    const on = subject('laterRetry', { tenant: 'acme', campaign: held.order.campaign, batch: work.batchSeq })
    expect(decode<Order>((await here.bus.readLast(STREAM.mail, on))?.body as Uint8Array).attempt).toBe(2)
    await restOrder(here.bus, work.batchSeq, { ...later, attempt: 3 }, Date.now() + 3_600_000)
    expect(decode<Order>((await here.bus.readLast(STREAM.mail, on))?.body as Uint8Array).attempt).toBe(3)
  })
})
