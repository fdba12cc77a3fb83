import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Chunk, openObjects } from '../../services/runtime/objects.ts'
import { gather, natsForFile, text } from '../kit/bus.ts'

const here = natsForFile({ sync: 'sometimes' })

function* pieces(count: number, bytes: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n++) yield new Uint8Array(bytes).fill(n % 251)
}

test('what was put is read back, whatever the pieces; and other clients find it where they expect it', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('plain')
  const objects = openObjects(bus, 'plain')
  const pin = await objects.put('lists/春.ndjson', pieces(50, 10_001))
  expect(pin).toMatchObject({ size: 500_050, chunks: 4 })
  expect(await objects.head('lists/春.ndjson')).toEqual(pin)
  const all = Buffer.concat(await gather(objects.read('lists/春.ndjson')))
  expect(all.equals(Buffer.concat([...pieces(50, 10_001)]))).toBe(true)
  const encoded = 'bGlzdHMv5pilLm5kanNvbg==' // ADR-20: base64 for URLs, with its padding
  const record = await bus.readLast('OBJ_plain', `$O.plain.M.${encoded}`)
  expect(JSON.parse(text(record?.body ?? new Uint8Array()))).toMatchObject({
    name: 'lists/春.ndjson',
    bucket: 'plain',
    nuid: pin.nuid,
    size: 500_050,
    chunks: 4,
    digest: pin.digest,
  })
  expect(pin.digest).toMatch(/^SHA-256=[\w-]{43}=$/)
})

test('an empty object is an object', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('empty')
  const objects = openObjects(bus, 'empty')
  expect(await objects.put('nothing', [])).toMatchObject({ size: 0, chunks: 0 })
  expect(await gather(objects.read('nothing'))).toEqual([])
})

test('a slow reader has one batch of chunks in memory, not the object', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('large')
  const objects = openObjects(bus, 'large')
  await objects.put('list', pieces(160, 131_072)) // 20 MB
  const before = bus.stats().inBytes
  let read = 0
  let most = 0
  for await (const bytes of objects.read('list')) {
    read += bytes.length
    for (let n = 0; n < 5; n++) await turn() // time for whatever is pushed to arrive
    most = Math.max(most, bus.stats().inBytes - before - read)
  }
  expect(read).toBe(20_971_520)
  expect(most).toBeLessThan(2_000_000)
})

test('reading goes on behind a chunk that was read before', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('resume')
  const objects = openObjects(bus, 'resume')
  const pin = await objects.put('list', pieces(5, 131_072))
  const chunks: Chunk[] = await gather(objects.readChunks(pin))
  const third = chunks[2] as Chunk
  const rest = await gather(objects.readChunks(pin, { seq: third.seq, offset: third.offset + third.bytes.length }))
  expect(rest.map(({ offset }) => offset)).toEqual([393_216, 524_288])
})

test('an object replaced or removed under its reader is an error, and never another’s bytes', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('swap')
  const objects = openObjects(bus, 'swap')
  const pin = await objects.put('list', pieces(40, 131_072))
  let taken = 0
  const reading = (async () => {
    for await (const _ of objects.read(pin)) {
      taken++
      if (taken === 3) await objects.put('list', pieces(2, 10))
    }
  })()
  await expect(reading).rejects.toMatchObject({ name: 'ObjectError', fault: 'truncated' })
  await expect(gather(objects.read(pin))).rejects.toMatchObject({ fault: 'replaced' })
  expect(await objects.remove('list')).toBe(true)
  expect(await objects.remove('list')).toBe(false)
  expect(await objects.head('list')).toBeNull()
  await expect(gather(objects.read('list'))).rejects.toMatchObject({ fault: 'missing' })
})

test('other bytes than the digest says are an error', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('damage')
  const objects = openObjects(bus, 'damage')
  const pin = await objects.put('list', pieces(2, 100))
  await expect(gather(objects.read({ ...pin, digest: 'SHA-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=' }))).rejects.toMatchObject({
    fault: 'corrupt',
  })
})

test('a put whose source fails leaves the old object and no half of the new one', async () => {
  const { bus } = here
  await bus.ensureObjectBucket('half')
  const objects = openObjects(bus, 'half')
  const pin = await objects.put('list', pieces(1, 100))
  const failing = (function* () {
    yield* pieces(3, 131_072)
    throw new Error('source ended badly')
  })()
  await expect(objects.put('list', failing)).rejects.toThrow('source ended badly')
  expect(await objects.head('list')).toEqual(pin)
  expect((await bus.streamState('OBJ_half')).messages).toBe(2)
})
