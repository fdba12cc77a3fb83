import { expect, test } from 'vitest'
import { connectBus, type Entry } from '../../services/runtime/bus.ts'
import { isStale } from '../../services/runtime/errors.ts'
import { startGroupCommit } from '../../services/runtime/group-commit.ts'
import { bytes, listeningLog, natsForFile, testStream, text, until } from '../kit/bus.ts'
import { startNats } from '../kit/nats.ts'

const here = natsForFile()

test('what is added within a round is one batch, and each entry learns its own sequence', async () => {
  const { bus, log } = here
  await bus.ensureStreams([testStream('ROUND', ['round.>'])])
  await using journal = startGroupCommit({ bus, stream: 'ROUND', log })
  const added = Array.from({ length: 30 }, (_, n) => journal.add({ subject: `round.${n % 3}`, body: bytes(String(n)) }))
  expect(journal.waiting()).toBe(30)
  const stored = await Promise.all(added)
  expect(stored).toEqual(Array.from({ length: 30 }, (_, n) => ({ kind: 'stored', seq: n + 1 })))
  const batches = new Set<string>()
  for await (const message of bus.scan('ROUND', 'round.>')) {
    expect(text(message.body)).toBe(String(message.seq - 1))
    batches.add(message.headers['Nats-Batch-Id'] ?? 'none')
  }
  expect(batches.size).toBe(1)
  expect(journal.oldestWaitingMs()).toBe(0)
})

test('one refused entry refuses only itself', async () => {
  const { bus, log } = here
  await bus.ensureStreams([testStream('GUILT', ['outcome.>', 'claim.>'])])
  const claims = await Promise.all([1, 2, 3].map((n) => bus.store(`claim.${n}`, bytes('holder'), { expect: { seq: 0 } })))
  const seqs = claims.map((claim) => (claim.kind === 'stored' ? claim.seq : 0))
  const taken = await bus.store('claim.2', bytes('other'), { expect: { seq: seqs[1] as number }, rollup: true })
  expect(taken.kind).toBe('stored')
  await using journal = startGroupCommit({ bus, stream: 'GUILT', log })
  const outcome = (n: number): Entry => ({ subject: `outcome.${n}`, body: bytes(`of ${n}`), expect: { seq: seqs[n - 1] as number, on: `claim.${n}` } })
  const [first, zombie, third] = await Promise.all([1, 2, 3].map((n) => journal.add(outcome(n))))
  expect([first?.kind, third?.kind]).toEqual(['stored', 'stored'])
  expect(zombie?.kind === 'refused' && isStale(zombie)).toBe(true)
  expect(await bus.readLast('GUILT', 'outcome.2')).toBeNull()
})

test('more than one round bears is split, and the age of the oldest is what a caller holds itself back by', async () => {
  const { bus, log } = here
  await bus.ensureStreams([testStream('SPLIT', ['split.>'])])
  await using journal = startGroupCommit({ bus, stream: 'SPLIT', log, most: 50 })
  const added = Array.from({ length: 170 }, (_, n) => journal.add({ subject: 'split.a', body: bytes(String(n)) }))
  await until('the oldest to age', () => journal.oldestWaitingMs() > 0)
  const stored = await Promise.all(added)
  expect(stored.map((one) => (one.kind === 'stored' ? one.seq : 0))).toEqual(Array.from({ length: 170 }, (_, n) => n + 1))
})

test('kills of the server lose nothing and double nothing', async () => {
  await using nats = await startNats()
  const log = listeningLog()
  await using bus = await connectBus({ url: nats.url, name: 'journal', log })
  await bus.ensureStreams([testStream('KILLED', ['killed.>'])])
  await using journal = startGroupCommit({ bus, stream: 'KILLED', log, everyMs: 10 })
  const added: Promise<unknown>[] = []
  let n = 0
  for (let kills = 0; kills < 6; kills++) {
    const until = performance.now() + 150 + kills * 13 // lands at another moment of a round each time
    while (performance.now() < until) {
      while (journal.waiting() < 400) added.push(journal.add({ subject: `killed.${n % 7}`, body: bytes(String(n++)) }))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await nats.kill()
    await nats.start()
  }
  await Promise.all(added)
  const seen = new Map<string, number>()
  for await (const message of bus.scan('KILLED', 'killed.>')) seen.set(text(message.body), (seen.get(text(message.body)) ?? 0) + 1)
  expect(log.lines.map(({ event }) => event)).toContain('round-in-doubt') // else no kill fell into a round, and nothing was tried
  expect({ stored: seen.size, doubled: [...seen.values()].filter((count) => count > 1).length }).toEqual({ stored: n, doubled: 0 })
})
