import { expect, test } from 'vitest'
import { BUCKETS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { connectBus } from '../../services/runtime/bus.ts'
import { listeningLog, natsForFile, testStream } from '../kit/bus.ts'
import { startNats } from '../kit/nats.ts'

const here = natsForFile({ sync: 'sometimes' })

test('the server takes every stream and bucket of protocol as it stands there, from many starters at once and again later', async () => {
  const { bus } = here
  const everything = () => Promise.all([bus.ensureStreams(STREAMS), bus.ensureBuckets(BUCKETS), bus.ensureObjectBucket(OBJECT_BUCKET)])
  await Promise.all([everything(), everything(), everything()])
  await everything()
  for (const { name } of STREAMS) expect(await bus.streamState(name)).toMatchObject({ messages: 0 })
  for (const { name } of BUCKETS) expect(await bus.streamState(`KV_${name}`)).toMatchObject({ messages: 0 })
})

test('a changed stream is updated in place', async () => {
  const { bus } = here
  const [jobs, ...rest] = STREAMS
  await bus.ensureStreams([{ ...jobs, maxBytes: 1_000_000 }, ...rest])
  await bus.ensureStreams(STREAMS)
})

test('on a small disk a stream gets what there is, and says so; on one without room it is a bad configuration', async () => {
  await using nats = await startNats({ maxFileStore: '1GB' })
  const log = listeningLog()
  await using bus = await connectBus({ url: nats.url, name: 'small', log })
  await bus.ensureStreams([testStream('WIDE', ['wide.>'], { maxBytes: 3 * 1024 ** 3 })])
  await bus.ensureStreams([testStream('WIDE', ['wide.>'], { maxBytes: 3 * 1024 ** 3 })])
  expect(log.lines.filter(({ event }) => event === 'stream-smaller').map(({ fields }) => fields.gotBytes)).toEqual([768 * 1024 ** 2, 768 * 1024 ** 2])
  await expect(
    bus.ensureStreams([testStream('MORE', ['more.>'], { maxBytes: 16 * 1024 ** 3 }), testStream('LAST', ['last.>'], { maxBytes: 1024 ** 3 })]),
  ).rejects.toMatchObject({ name: 'BadConfig' })
})
