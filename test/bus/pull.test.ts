import { connect } from 'nats'
import { expect, test } from 'vitest'
import { connectBus, type Delivery } from '../../services/runtime/bus.ts'
import { bytes, listeningLog, natsForFile, testStream, text, until } from '../kit/bus.ts'
import { startNats } from '../kit/nats.ts'

const here = natsForFile({ sync: 'sometimes' })
const work = (name: string, subjects: string[]) => testStream(name, subjects, { retention: 'workqueue' })

test('no more comes than was wanted, and more when more is wanted', async () => {
  const { bus } = here
  await bus.ensureStreams([work('DEMAND', ['demand.>'])])
  for (let n = 0; n < 10; n++) await bus.store('demand.a', bytes(String(n)))
  const taken: Delivery[] = []
  await using puller = await bus.pull({ stream: 'DEMAND', durable: 'd', filter: 'demand.a', ackWaitMs: 10_000, maxAckPending: 100 }, (delivery) =>
    taken.push(delivery),
  )
  expect(puller.pending()).toBe(10)
  puller.want(3)
  await until('three', () => taken.length === 3)
  await bus.flush()
  expect(taken.length).toBe(3)
  puller.want(2)
  puller.want(4) // a level, not an addition
  await until('seven', () => taken.length === 7)
  await bus.flush()
  expect(taken.map(({ body, deliveries }) => [text(body), deliveries])).toEqual(Array.from({ length: 7 }, (_, n) => [String(n), 1]))
  expect(puller.pending()).toBe(3)
})

test('an ack from another connection takes the message off the queue; +WPI from there keeps it from coming again', async () => {
  const { bus, nats, log } = here
  await bus.ensureStreams([work('REMOTE', ['remote.>'])])
  await using other = await connectBus({ url: nats.url, name: 'other', log })
  for (const body of ['acked', 'kept', 'left']) await bus.store('remote.a', bytes(body))
  const taken: Delivery[] = []
  await using puller = await bus.pull({ stream: 'REMOTE', durable: 'd', filter: 'remote.>', ackWaitMs: 1_000, maxAckPending: 10 }, (delivery) =>
    taken.push(delivery),
  )
  puller.want(10)
  await until('all three', () => taken.length === 3)
  const [acked, kept] = taken as [Delivery, Delivery, Delivery]
  await other.ackSure(acked.ackSubject)
  expect(await bus.readSeq('REMOTE', acked.seq)).toBeNull()
  const working = setInterval(() => other.working(kept.ackSubject), 200)
  await until('the one that was left to come again', () => taken.length > 3)
  clearInterval(working)
  expect(taken.slice(3).map(({ body, deliveries }) => [text(body), deliveries])).toEqual([['left', 2]])
})

test('work goes on by itself after the server was killed and after the consumer was lost', async () => {
  await using nats = await startNats()
  await using bus = await connectBus({ url: nats.url, name: 'worker', log: listeningLog() })
  await bus.ensureStreams([work('GOON', ['goon.>'])])
  const taken: string[] = []
  await using puller = await bus.pull({ stream: 'GOON', durable: 'd', filter: 'goon.a', ackWaitMs: 5_000, maxAckPending: 100 }, (delivery) => {
    taken.push(text(delivery.body))
    bus.ack(delivery.ackSubject)
  })
  puller.want(100)
  await bus.store('goon.a', bytes('before'))
  await until('the first', () => taken.length === 1)
  await nats.kill()
  await nats.start()
  await until('the connection', () => bus.connected)
  await bus.store('goon.a', bytes('after the kill'))
  await until('the second', () => taken.includes('after the kill'))
  await bus.dropConsumer('GOON', 'd')
  await bus.store('goon.a', bytes('after the loss'))
  await until('the third', () => taken.includes('after the loss'))
})

test('a server that kept the consumer in memory and starts again brings what was not acked once more, as if for the first time; acks of before hold', async () => {
  await using nats = await startNats()
  await using bus = await connectBus({ url: nats.url, name: 'worker', log: listeningLog() })
  await bus.ensureStreams([work('FORGOT', ['forgot.>'])])
  const spec = { stream: 'FORGOT', durable: 'd', filter: 'forgot.a', ackWaitMs: 60_000, maxAckPending: 100 }
  {
    await using older = await bus.pull(spec, () => {}) // kept on disk, as an older version made it: replaced
    older.want(0)
  }
  const taken: Delivery[] = []
  await using puller = await bus.pull({ ...spec, state: 'memory' }, (delivery) => taken.push(delivery))
  puller.want(100)
  for (const body of ['acked', 'acked late', 'left']) await bus.store('forgot.a', bytes(body))
  await until('all three', () => taken.length === 3)
  const [acked, late] = taken as [Delivery, Delivery, Delivery]
  await bus.ackSure(acked.ackSubject)
  await nats.kill()
  await nats.start()
  await until('the others again', () => taken.length >= 5)
  expect(taken.slice(3).map(({ body, deliveries }) => [text(body), deliveries])).toEqual([
    ['acked late', 1],
    ['left', 1],
  ])
  await bus.ackSure(late.ackSubject)
  expect((await bus.streamState('FORGOT')).messages).toBe(1)
})

test('who stops taking still hears what was on its way: it does not stand for an ack_wait with nobody holding it', async () => {
  const { bus, nats } = here
  await bus.ensureStreams([work('LAST', ['last.>'])])
  const body = bytes('x'.repeat(1_000))
  await Promise.all(Array.from({ length: 2_000 }, () => bus.store('last.a', body)))
  const asker = await connect({ servers: nats.url })
  await using _ = { [Symbol.asyncDispose]: () => asker.close() }
  for (let round = 0; round < 5; round++) {
    let taken = 0
    const first = Promise.withResolvers<void>()
    const spec = { stream: 'LAST', durable: `d${round}`, filter: 'last.a', ackWaitMs: 10_000, maxAckPending: 2_000 }
    const puller = await bus.pull(spec, () => {
      taken++
      first.resolve()
    })
    puller.want(2_000)
    await first.promise
    await puller[Symbol.asyncDispose]()
    const { num_ack_pending } = (await asker.request(`$JS.API.CONSUMER.INFO.LAST.d${round}`)).json<{ num_ack_pending: number }>()
    expect({ round, taken }).toEqual({ round, taken: num_ack_pending })
    await bus.dropConsumer('LAST', `d${round}`)
  }
})

test('taking, working and acking many keeps its pace', async () => {
  const { bus } = here
  await bus.ensureStreams([work('MANY', ['many.>'])])
  const count = 2_000
  await Promise.all(Array.from({ length: count }, (_, n) => bus.store('many.a', bytes(String(n)))))
  let free = 50
  let done = 0
  await using puller = await bus.pull({ stream: 'MANY', durable: 'd', filter: 'many.a', ackWaitMs: 5_000, maxAckPending: 500 }, (delivery) => {
    free--
    setImmediate(() => {
      bus.ack(delivery.ackSubject)
      free++
      done++
      puller.want(free)
    })
  })
  puller.want(free)
  await until('all to be done', () => done === count, 10_000)
  await bus.flush()
  await until('the queue to be empty', async () => (await bus.streamState('MANY')).messages === 0)
})
