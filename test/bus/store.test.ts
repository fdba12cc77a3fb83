import { expect, test } from 'vitest'
import { connectBus } from '../../services/runtime/bus.ts'
import { isStale } from '../../services/runtime/errors.ts'
import { bytes, natsForFile, testStream, text, until } from '../kit/bus.ts'

const here = natsForFile()

test('an expected sequence lets one of two writers win, and the server says so to the other', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('CAS', ['cas.>'])])
  const first = await bus.store('cas.a', bytes('1'), { expect: { seq: 0 } })
  const blindTwin = await bus.store('cas.a', bytes('2'), { expect: { seq: 0 } })
  expect(first).toEqual({ kind: 'stored', seq: 1 })
  expect(blindTwin.kind === 'refused' && isStale(blindTwin)).toBe(true)
  expect(text((await bus.readLast('CAS', 'cas.a'))?.body ?? bytes(''))).toBe('1')
})

test('a message with a TTL goes by itself', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('TTL', ['ttl.>'])])
  const stored = await bus.store('ttl.a', bytes('1'), { ttlS: 1 })
  expect(stored.kind).toBe('stored')
  expect(await bus.readLast('TTL', 'ttl.a')).not.toBeNull()
  await until('the message to expire', async () => (await bus.readLast('TTL', 'ttl.a')) === null)
})

test('a batch with a stale cursor stores nothing and keeps the server’s error code', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('EXPAND', ['list.>', 'cursor.>'])])
  const first = await bus.storeAll([
    { subject: 'cursor.c', body: bytes('100'), expect: { seq: 0 }, rollup: true },
    { subject: 'list.c.x', body: bytes('0-99') },
    { subject: 'list.c.y', body: bytes('0-99') },
  ])
  expect(first).toMatchObject({ kind: 'stored', lastSeq: 3 })
  const stale = await bus.storeAll([
    { subject: 'cursor.c', body: bytes('100'), expect: { seq: 0 }, rollup: true },
    { subject: 'list.c.x', body: bytes('again') },
  ])
  expect(stale.kind === 'refused' && isStale(stale)).toBe(true)
  const next = await bus.storeAll([
    { subject: 'cursor.c', body: bytes('200'), expect: { seq: 1 }, rollup: true },
    { subject: 'list.c.x', body: bytes('100-199') },
  ])
  expect(next).toMatchObject({ kind: 'stored', lastSeq: 5 })
  const all: string[] = []
  for await (const message of bus.scan('EXPAND', '>')) all.push(text(message.body))
  expect(all).toEqual(['0-99', '0-99', '200', '100-199'])
})

test('a batch of one is a batch too', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('ONE', ['one.>'])])
  expect(await bus.storeAll([{ subject: 'one.a', body: bytes('1') }])).toMatchObject({ kind: 'stored', lastSeq: 1 })
})

test('a batch for a stream that takes none is refused with the reason of its opening', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('PLAIN', ['plain.>'], { atomic: false })])
  const refused = await bus.storeAll(['1', '2', '3'].map((body) => ({ subject: 'plain.a', body: bytes(body) })))
  expect(refused).toMatchObject({ kind: 'refused', message: expect.stringMatching(/atomic publish is disabled/i) })
})

test('sequences inside one batch are contiguous while others publish into the stream, so an entry’s own is lastSeq − those after it', async () => {
  const { bus, nats, log } = here
  await bus.ensureStreams([testStream('CONTIG', ['contig.>'])])
  await using other = await connectBus({ url: nats.url, name: 'other', log })
  let over = false
  const noise = async (from: typeof bus) => {
    while (!over) await Promise.all(Array.from({ length: 20 }, () => from.store('contig.noise', bytes('n'))))
  }
  const noises = [noise(other), noise(other)]
  const rounds = 12
  const size = 40
  for (let round = 0; round < rounds; round++) {
    const entries = Array.from({ length: size }, (_, n) => ({ subject: `contig.batch.${round}`, body: bytes(String(n)) }))
    const stored = await bus.storeAll(entries)
    if (stored.kind !== 'stored') throw new Error(JSON.stringify(stored))
    for (let n = 0; n < size; n++) {
      const message = await bus.readSeq('CONTIG', stored.lastSeq - (size - 1 - n))
      expect([message?.subject, text(message?.body ?? bytes(''))]).toEqual([`contig.batch.${round}`, String(n)])
    }
  }
  over = true
  await Promise.all(noises)
  expect((await bus.streamState('CONTIG')).messages).toBeGreaterThan(rounds * size) // there was noise between the batches
})

test('a step of 15,000 batches behind its cursor is one atomic batch, where the server is told to take it; others write meanwhile', async () => {
  const { bus, nats, log } = here
  await bus.ensureStreams([testStream('STEP', ['step.>'], { retention: 'workqueue' })])
  await using other = await connectBus({ url: nats.url, name: 'other', log })
  const body = bytes('x'.repeat(500))
  const step = (expect: number) => [
    { subject: 'step.cursor', body: bytes('15000'), rollup: true, expect: { seq: expect } },
    ...Array.from({ length: 15_000 }, (_, n) => ({ subject: `step.list.acme.long.site${n}`, body })),
  ]
  let worstMs = 0
  let over = false
  const meanwhile = (async () => {
    while (!over) {
      const from = performance.now()
      await other.store('step.meanwhile', bytes('m'))
      worstMs = Math.max(worstMs, performance.now() - from)
    }
  })()
  const stored = await bus.storeAll(step(0))
  over = true
  await meanwhile
  if (stored.kind !== 'stored') throw new Error(JSON.stringify(stored))
  expect((await bus.readSeq('STEP', stored.lastSeq))?.subject).toBe('step.list.acme.long.site14999')
  expect((await bus.readSeq('STEP', stored.lastSeq - 15_000))?.subject).toBe('step.cursor')
  expect(worstMs).toBeLessThan(2_000)
  const late = await bus.storeAll(step(0))
  expect(late.kind === 'refused' && isStale(late)).toBe(true)
})

test('claims fence: a blind twin’s claim and a zombie’s chunk are refused, alone and in a batch', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('JOURNAL', ['outcome.>', 'claim.>'])])
  const claim = 'claim.acme.spring.7'
  const outcome = 'outcome.acme.spring.7'
  const first = await bus.store(claim, bytes('sender a'), { expect: { seq: 0 }, rollup: true })
  if (first.kind !== 'stored') throw new Error('first claim refused')
  const twin = await bus.store(claim, bytes('sender b'), { expect: { seq: 0 }, rollup: true })
  expect(twin.kind === 'refused' && isStale(twin)).toBe(true)
  expect((await bus.store(outcome, bytes('a: 1'), { expect: { seq: first.seq, on: claim } })).kind).toBe('stored')
  const second = await bus.store(claim, bytes('sender b'), { expect: { seq: first.seq }, rollup: true })
  if (second.kind !== 'stored') throw new Error('take-over refused')
  const zombie = await bus.store(outcome, bytes('a: 2'), { expect: { seq: first.seq, on: claim } })
  expect(zombie.kind === 'refused' && isStale(zombie)).toBe(true)
  const zombies = await bus.storeAll([
    { subject: 'outcome.acme.spring.8', body: bytes('other'), expect: { seq: 0, on: 'claim.acme.spring.8' } },
    { subject: outcome, body: bytes('a: 3'), expect: { seq: first.seq, on: claim } },
  ])
  expect(zombies.kind === 'refused' && isStale(zombies)).toBe(true)
  const holders = await bus.storeAll([
    { subject: outcome, body: bytes('b: 1'), expect: { seq: second.seq, on: claim } },
    { subject: outcome, body: bytes('b: 2'), expect: { seq: second.seq, on: claim } },
  ])
  expect(holders).toMatchObject({ kind: 'stored' })
})

test('a schedule fires into its target of the same stream; a second one on the subject replaces the first', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('LATER', ['later.>', 'due.>'])])
  await bus.store('later.a', bytes('first'), { at: Date.now() + 600, target: 'due.bulk' })
  await bus.store('later.a', bytes('second'), { at: Date.now() + 700, target: 'due.bulk', headers: { 'Hato-Mark': 'kept' } })
  const batched = await bus.storeAll([
    { subject: 'later.b', body: bytes('in a batch'), at: Date.now() + 700, target: 'due.bulk' },
    { subject: 'later.c', body: bytes('too'), at: Date.now() + 700, target: 'due.bulk' },
  ])
  expect(batched).toMatchObject({ kind: 'stored' })
  const fired: string[] = []
  const following = bus.follow('LATER', ['due.>'])
  for await (const message of following) {
    fired.push(text(message.body))
    if (text(message.body) === 'second') expect(message.headers).toMatchObject({ 'Nats-Scheduler': 'later.a', 'Hato-Mark': 'kept' })
    if (fired.length === 3) break
  }
  expect(fired.toSorted()).toEqual(['in a batch', 'second', 'too'])
})

test('more batches at once than the server keeps open are all stored in the end', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('CROWD', ['crowd.>'])])
  // batches that never end keep their place until the server gives them up
  await Promise.all(
    Array.from({ length: 195 }, (_, n) =>
      bus.ask('crowd.x', bytes('1'), { timeoutMs: 2_000, headers: { 'Nats-Batch-Id': `open-${n}`, 'Nats-Batch-Sequence': '1' } }),
    ),
  )
  const crowd = await Promise.all(Array.from({ length: 40 }, (_, n) => bus.storeAll([0, 1, 2].map((k) => ({ subject: `crowd.${n}`, body: bytes(String(k)) })))))
  expect(new Set(crowd.map(({ kind }) => kind))).toEqual(new Set(['stored']))
  expect((await bus.streamState('CROWD')).messages).toBe(120)
})
