/** A file into the object store, under a name made of its content: the same list twice is one object, and one campaign stays the same campaign. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { OBJECT_BUCKET, objectOf } from '../../protocol/buckets.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { Failure } from './failure.ts'
import { bytes, percent } from './format.ts'
import type { Screen } from './screen.ts'

export interface Uploaded {
  /** in bucket `hato` */
  readonly name: string
  readonly bytes: number
  readonly kind: 'uploaded' | 'there-already'
}

const SHOW_EVERY_MS = 200

export async function uploadList(bus: Bus, file: string, tenant: string, screen: Screen, stopping: AbortSignal): Promise<Uploaded> {
  const size = await sizeOf(file)
  const digest = await digestOf(file, stopping)
  const name = objectOf('lists', tenant, `${digest.slice(0, 22)}.${await formatOf(file)}`)
  const objects = openObjects(bus, OBJECT_BUCKET)
  const standing = await objects.head(name)
  if (standing !== null && standing.size === size && standing.digest.replace(/=+$/, '') === `SHA-256=${digest}`)
    return { name, bytes: size, kind: 'there-already' }
  let shownMs = 0
  await objects.put(
    name,
    counting(file, stopping, (read) => {
      if (performance.now() - shownMs < SHOW_EVERY_MS) return
      shownMs = performance.now()
      screen.live([`  storing ${file}: ${percent(read, size)} of ${bytes(size)}`])
    }),
  )
  screen.endLive()
  return { name, bytes: size, kind: 'uploaded' }
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: unknown) => {
    throw new Failure('failed', `the list ${file} cannot be read: ${(error as Error).message}`)
  })
  if (!found.isFile()) throw new Failure('failed', `the list ${file} is no file; it is read twice, so a pipe will not do`)
  if (found.size === 0) throw new Failure('failed', `the list ${file} is empty: there is nobody to send to, and nothing was published`)
  return found.size
}

async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array)
  return hash.digest('base64url')
}

/** By its name, else by its first byte, as the scheduler does. */
async function formatOf(file: string): Promise<'csv' | 'ndjson'> {
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(nd)?jsonl?$/i.test(file)) return 'ndjson'
  await using handle = await open(file)
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, 0)
  return buffer[0] === 0x7b ? 'ndjson' : 'csv'
}

async function* counting(file: string, signal: AbortSignal, tell: (read: number) => void): AsyncGenerator<Uint8Array> {
  let read = 0
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 256 << 10 })) {
    read += (chunk as Uint8Array).length
    tell(read)
    yield chunk as Uint8Array
  }
}
