import { expect, test } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { fullMask } from '../../protocol/mask.ts'
import type { HeldOrder, Order } from '../../protocol/messages/mail.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { connectBus } from '../../services/runtime/bus.ts'
import { openOrderDoor } from '../../services/domain-router/order-door.ts'
import { listeningLog, until } from '../kit/bus.ts'
import { startNats } from '../kit/nats.ts'

const SHARD = 't00'
const order = (n: number): Order => ({
  v: 1,
  tenant: 'acme',
  campaign: `c${n}`,
  kind: 'transactional',
  lane: 'urgent',
  site: 'site.example',
  provider: null,
  pool: 'acme',
  batch: 1_000 + n,
  mask: fullMask(1),
  count: 1,
  attempt: 0,
  deadline: Date.now() + 3_600_000,
})

test('a server that starts again brings nobody what somebody here has; what nobody keeps alive comes after ack_wait', async () => {
  await using nats = await startNats()
  const log = listeningLog()
  await using bus = await connectBus({ url: nats.url, name: 'router', log })
  await bus.ensureStreams(STREAMS.filter(({ name }) => name === STREAM.mail))
  const arrived: HeldOrder[] = []
  const takeIn = (orders: readonly HeldOrder[]) => {
    arrived.push(...orders)
    door.want('urgent', 100)
  }
  const door = await openOrderDoor({ bus, shard: SHARD, maxAckPending: 100, now: Date.now, log, onOrders: takeIn })
  await using _ = door
  const publish = (n: number) => bus.store(subject('order', { shard: SHARD, lane: 'urgent' }), encode(order(n)))
  const names = () => arrived.map(({ order: { campaign } }) => campaign)
  door.want('urgent', 100)
  for (const n of [1, 2, 3]) await publish(n)
  await until('three orders', () => arrived.length === 3)

  await nats.kill()
  await nats.start()
  await until('the connection', () => bus.connected)
  await publish(4)
  await until('the new one', () => names().includes('c4'))
  expect(names()).toEqual(['c1', 'c2', 'c3', 'c4'])

  // Acked under what it was called before the restart; of the others one is kept alive.
  const [first, second] = arrived as [HeldOrder, HeldOrder]
  await bus.ackSure(first.ackSubject)
  const working = setInterval(() => bus.working(second.ackSubject), 1_000)
  await until('those that nobody kept alive', () => arrived.length >= 6, 8_000)
  clearInterval(working)
  expect(names().slice(4).sort()).toEqual(['c3', 'c4'])
})
