import { expect, test } from 'vitest'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { Infrastructure, isStale } from '../../services/runtime/errors.ts'
import { startGroupCommit } from '../../services/runtime/group-commit.ts'
import { bytes, listeningLog, testStream, text } from '../kit/bus.ts'
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
  await bus.ensureStreams([testStream('JOURNAL', ['outcome.>', 'claim.>'])], { replicas: 3 })

  for (let n = 0; n < 30; n++) {
    const stored = await bus.store('outcome.now', bytes(String(n)))
    if (stored.kind !== 'stored') throw new Error('refused')
    expect(text((await bus.readLast('JOURNAL', 'outcome.now'))?.body ?? bytes(''))).toBe(String(n))
    expect((await bus.fetchSeq('JOURNAL', stored.seq))?.seq).toBe(stored.seq) // Direct Get alone would miss a tenth
  }
  const claim = await bus.store('claim.1', bytes('a'), { expect: { seq: 0 } })
  const twin = await bus.store('claim.1', bytes('b'), { expect: { seq: 0 } })
  expect([claim.kind, twin.kind === 'refused' && isStale(twin)]).toEqual(['stored', true])

  const seen: string[] = []
  const following = bus.follow('JOURNAL', ['outcome.long'])
  const reading = (async () => {
    for await (const message of following) {
      seen.push(text(message.body))
      if (text(message.body) === 'last') return
    }
  })()
  const journal = startGroupCommit({ bus, stream: 'JOURNAL', log, everyMs: 20 })
  const added: { readonly body: string; readonly answer: ReturnType<typeof journal.add> }[] = []
  const add = (body: string) => added.push({ body, answer: journal.add({ subject: 'outcome.long', body: bytes(body) }) })
  for (let n = 0; n < 300; n++) {
    add(String(n))
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 30)) // rounds before and after the death
    if (n === 150) void cluster.servers.get(await leaderOf(bus, 'JOURNAL'))?.kill()
  }
  add('last')
  for (const { body, answer } of added) {
    const stored = await answer
    if (stored.kind !== 'stored') throw new Error(`${body} was refused: ${stored.message}`)
    expect(text((await bus.readSeq('JOURNAL', stored.seq))?.body ?? bytes(''))).toBe(body)
  }
  await reading
  expect(seen).toEqual(added.map(({ body }) => body))
  await journal[Symbol.asyncDispose]()
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
