import { expect, test } from 'vitest'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { Infrastructure, isStale } from '../../services/runtime/errors.ts'
import { Journal } from '../../services/sender/journal.ts'
import type { Work } from '../../services/sender/state.ts'
import { bytes, listeningLog, testStream, text } from '../kit/bus.ts'
import { claimedWork, delivered } from '../kit/claimed-work.ts'
import { startNatsCluster } from '../kit/nats-cluster.ts'

async function leaderOf(bus: Bus, stream: string): Promise<string> {
  const answer = await bus.ask(`$JS.API.STREAM.INFO.${stream}`, bytes(''), { timeoutMs: 5_000 })
  if (answer.kind !== 'answer') throw new Error(`no answer about ${stream}`)
  return (JSON.parse(text(answer.body)) as { cluster: { leader: string } }).cluster.leader
}

test('three nodes: what is acked is read at once, batches are contiguous, claims fence; and when the leader dies all goes on, nothing lost, nothing doubled', async () => {
  await using cluster = await startNatsCluster()
  const log = listeningLog()
  await using bus = await connectBus({ url: cluster.url, name: 'three', log })
  await bus.ensureStreams([testStream('JOURNAL', ['first.>', 'fence.>'])], { replicas: 3 })

  for (let n = 0; n < 30; n++) {
    const stored = await bus.store('first.now', bytes(String(n)))
    if (stored.kind !== 'stored') throw new Error('refused')
    expect(text((await bus.readLast('JOURNAL', 'first.now'))?.body ?? bytes(''))).toBe(String(n))
    expect((await bus.fetchSeq('JOURNAL', stored.seq))?.seq).toBe(stored.seq) // Direct Get alone would miss a tenth
  }
  const claim = await bus.store('fence.1', bytes('a'), { expect: { seq: 0 } })
  const twin = await bus.store('fence.1', bytes('b'), { expect: { seq: 0 } })
  expect([claim.kind, twin.kind === 'refused' && isStale(twin)]).toEqual(['stored', true])

  await bus.ensureStreams(STREAMS, { replicas: 3 })
  const works: Work[] = []
  for (let n = 0; n < 60; n++) works.push(await claimedWork(bus, 'long'))
  const seen: string[] = []
  const following = bus.follow(STREAM.outcomes, [wildcard('outcome', { tenant: 'acme', campaign: 'long' })])
  const reading = (async () => {
    for await (const { body } of following) {
      const { batch, outcomes } = JSON.parse(text(body)) as OutcomeChunk
      for (const { n } of outcomes) seen.push(`${batch}/${n}`)
      if (batch === works.at(-1)?.batchSeq) return
    }
  })()
  const journal = new Journal({ bus, mono: () => performance.now(), wall: Date.now, onTrouble: () => {} })
  for (const [at, work] of works.entries()) {
    for (let n = 0; n < 5; n++) journal.add(work, delivered(n))
    if (at % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 30)) // rounds before and after the death
    if (at === 30) void cluster.servers.get(await leaderOf(bus, STREAM.outcomes))?.kill()
  }
  expect(new Set(await Promise.all(works.map((work) => journal.settled(work))))).toEqual(new Set(['durable']))
  await journal.close()
  await reading
  expect(seen.sort()).toEqual(works.flatMap(({ batchSeq }) => [0, 1, 2, 3, 4].map((n) => `${batchSeq}/${n}`)).sort())
}, 60_000)

test('while two of three are gone nothing can be stored, and that is said; when they are back it goes on', async () => {
  await using cluster = await startNatsCluster()
  await using bus = await connectBus({ url: cluster.url, name: 'two', log: listeningLog() })
  await bus.ensureStreams([testStream('QUORUM', ['quorum.>'])], { replicas: 3 })
  await bus.store('quorum.a', bytes('1'))
  const [, second, third] = [...cluster.servers.values()]
  await second?.kill()
  await third?.kill()
  const refused = await bus.store('quorum.a', bytes('2'), { timeoutMs: 1_500 }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Infrastructure)
  await second?.start()
  await third?.start()
  let stored = null
  for (let tries = 0; stored === null && tries < 10; tries++) {
    stored = await bus.store('quorum.b', bytes('3')).catch((error: unknown) => {
      if (!(error instanceof Infrastructure)) throw error
      return null
    })
  }
  expect(stored?.kind).toBe('stored')
}, 60_000)
