import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytesIn, roomFor, roomOf } from './room.ts'

test('a store may grow to nine tenths of what is free, and is never given less than it has', () => {
  expect(roomOf(0, 1_000)).toBe(900)
  expect(roomOf(5_000, 0)).toBe(5_000)
})

test('what the store has is counted in every folder of it', async () => {
  const store = await mkdtemp(join(tmpdir(), 'hato-room-'))
  try {
    await mkdir(join(store, 'jetstream/hato/streams'), { recursive: true })
    await writeFile(join(store, 'jetstream/meta.inf'), new Uint8Array(1_000))
    await writeFile(join(store, 'jetstream/hato/streams/1.blk'), new Uint8Array(50_000))
    expect(await bytesIn(store)).toBe(51_000)
    expect(await roomFor(store)).toBeGreaterThan(51_000)
  } finally {
    await rm(store, { recursive: true, force: true })
  }
})
