import { expect, test } from 'vitest'
import { connectBus } from '../../services/runtime/bus.ts'
import { type BucketEntry, openBucket } from '../../services/runtime/kv.ts'
import { bytes, listeningLog, natsForFile, text, until } from '../kit/bus.ts'
import { layCable } from '../kit/cable.ts'

const here = natsForFile()
const shown = (entries: readonly BucketEntry[]) => entries.map(({ key, value }) => `${key}=${value === null ? '–' : text(value)}`)

test('compare-and-set: creating what is there, and updating what another changed, gives null', async () => {
  const { bus } = here
  await bus.ensureBuckets([{ name: 'cas', ttl: true }])
  const bucket = openBucket(bus, 'cas')
  const first = (await bucket.create('a.b', bytes('1'))) as number
  expect(first).toBeGreaterThan(0)
  expect(await bucket.create('a.b', bytes('2'))).toBeNull()
  const second = await bucket.update('a.b', bytes('2'), first)
  expect(second).toBeGreaterThan(first)
  expect(await bucket.update('a.b', bytes('3'), first)).toBeNull()
  const kept = await bucket.get('a.b')
  expect([text(kept?.value ?? bytes('')), kept?.revision]).toEqual(['2', second])
  expect(await bucket.remove('a.b', first)).toBe(false)
  expect(await bucket.remove('a.b', second as number)).toBe(true)
  expect(await bucket.get('a.b')).toBeNull()
  const again = await bucket.create('a.b', bytes('4'))
  expect(again).toBeGreaterThan(second as number)
  expect(await bucket.keys()).toEqual(['a.b'])
})

test('a refreshed key lives, one that is not goes after its TTL, and a refresh that comes too late is refused', async () => {
  const { bus } = here
  await bus.ensureBuckets([{ name: 'live', ttl: true }])
  const bucket = openBucket(bus, 'live')
  const entries: BucketEntry[] = []
  const watch = bucket.watch('>', (entry) => entries.push(entry))
  let kept = (await bucket.create('kept', bytes('x'), { ttlS: 1 })) as number
  const left = (await bucket.create('left', bytes('x'), { ttlS: 1 })) as number
  const began = performance.now()
  while (!entries.some(({ key, value }) => key === 'left' && value === null)) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    kept = (await bucket.update('kept', bytes('x'), kept, { ttlS: 1 })) as number
    expect(kept).not.toBeNull()
  }
  expect(performance.now() - began).toBeLessThan(2_500)
  expect(await bucket.get('left')).toBeNull()
  expect(await bucket.get('kept')).not.toBeNull()
  expect(await bucket.update('left', bytes('zombie'), left, { ttlS: 1 })).toBeNull()
  watch.close()
})

test('a watch tells what is there, then every change and removal; one that was away tells what vanished meanwhile', async () => {
  const { bus, nats } = here
  await using cable = await layCable(nats.port)
  await using away = await connectBus({ url: `nats://127.0.0.1:${cable.port}`, name: 'watcher', log: listeningLog() })
  await bus.ensureBuckets([{ name: 'seen', ttl: true }])
  const bucket = openBucket(bus, 'seen')
  await bucket.put('x.1', bytes('one'))
  await bucket.put('x.2', bytes('two'))
  await bucket.put('y.1', bytes('not watched'))
  const entries: BucketEntry[] = []
  const watch = openBucket(away, 'seen').watch(['x.*', 'z.*'], (entry) => entries.push(entry))
  await watch.caughtUp
  expect(shown(entries)).toEqual(['x.1=one', 'x.2=two'])
  await bucket.put('x.1', bytes('new'))
  await bucket.remove('x.2')
  await bucket.put('z.1', bytes('three'))
  await until('three changes', () => entries.length === 5)
  expect(shown(entries.slice(2))).toEqual(['x.1=new', 'x.2=–', 'z.1=three'])
  entries.length = 0
  await cable.pull()
  await bus.purge('KV_seen', '$KV.seen.z.1') // without a mark, as after one that ran out
  await bucket.put('x.3', bytes('four'))
  await cable.plugIn()
  await until('both changes', () => entries.length >= 2)
  expect(shown(entries).toSorted()).toEqual(['x.3=four', 'z.1=–'])
  watch.close()
})

test('many processes may make the same bucket and streams at once', async () => {
  const { bus } = here
  await Promise.all(Array.from({ length: 5 }, () => bus.ensureBuckets([{ name: 'together', ttl: false }])))
  await Promise.all(Array.from({ length: 5 }, () => bus.ensureObjectBucket('together')))
  expect((await bus.streamState('KV_together')).messages).toBe(0)
})
