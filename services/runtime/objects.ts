/**
 * objects: large lists and content, in the layout every NATS client knows (ADR-20): chunks on `$O.<bucket>.C.<nuid>`, one record on `$O.<bucket>.M.<name>`.
 *
 * NOTE: not `@nats-io/obj`: its `get` pushes without back-pressure (5 MB read, 480 MB resident) and hangs without an error when the object
 * is replaced under it. Here the reader takes chunk after chunk, from the object it pinned.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Bus } from './bus/types.ts'
import { Infrastructure, InvariantBroken } from './errors.ts'

/** One object as it was when it was looked up; what is read from it later is this or an error, never another's bytes. */
export interface ObjectPin {
  readonly nuid: string
  readonly size: number
  readonly chunks: number
  /** `SHA-256=` and base64url, over the whole object */
  readonly digest: string
}

export interface Chunk {
  readonly bytes: Uint8Array
  /** sequence of the chunk: reading may go on behind it */
  readonly seq: number
  /** bytes of the object before this chunk */
  readonly offset: number
}

/** missing: no such object, or it was deleted · replaced: its chunks are gone · truncated: fewer bytes than it says · corrupt: other bytes than it says */
export type ObjectFault = 'missing' | 'replaced' | 'truncated' | 'corrupt'

export class ObjectError extends Error {
  override readonly name = 'ObjectError'
  readonly fault: ObjectFault
  constructor(fault: ObjectFault, message: string) {
    super(message)
    this.fault = fault
  }
}

export interface Objects {
  /** Whatever had the name is replaced when the new one is whole. */
  put(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<ObjectPin>
  /** null when there is none */
  head(name: string): Promise<ObjectPin | null>
  /** Throws ObjectError; the digest is checked behind the last chunk. */
  read(which: string | ObjectPin): AsyncGenerator<Uint8Array>
  /** From behind `after`, so that a reader that died goes on where it was; then the digest is not checked. */
  readChunks(which: string | ObjectPin, after?: { readonly seq: number; readonly offset: number }): AsyncGenerator<Chunk>
  /** false when there was none */
  remove(name: string): Promise<boolean>
}

const CHUNK_BYTES = 128 * 1024
/** 1 MB of chunks under way: enough to hide the fsync, little enough for any process. */
const UNDER_WAY = 8

interface ObjectRecord {
  readonly name: string
  readonly bucket: string
  readonly nuid: string
  readonly size: number
  readonly chunks: number
  readonly digest?: string
  readonly mtime: string
  readonly deleted?: boolean
  readonly options?: { readonly max_chunk_size?: number; readonly link?: unknown }
}

export function openObjects(bus: Bus, bucket: string): Objects {
  const stream = `OBJ_${bucket}`
  const chunkSubject = (nuid: string) => `$O.${bucket}.C.${nuid}`
  /** NOTE: with its padding, as all clients have it (ADR-20); without it a name of theirs is found only when its length is a multiple of 3. */
  const recordSubject = (name: string) => `$O.${bucket}.M.${Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`

  const lookUp = async (name: string): Promise<ObjectRecord | null> => {
    const last = await bus.readLast(stream, recordSubject(name))
    const record = last === null ? null : (JSON.parse(new TextDecoder().decode(last.body)) as ObjectRecord)
    return record === null || record.deleted ? null : record
  }
  const head = async (name: string): Promise<ObjectPin | null> => {
    const record = await lookUp(name)
    return record === null ? null : { nuid: record.nuid, size: record.size, chunks: record.chunks, digest: record.digest ?? '' }
  }
  const pin = async (which: string | ObjectPin): Promise<ObjectPin> => {
    const pinned = typeof which === 'string' ? await head(which) : which
    if (pinned === null) throw new ObjectError('missing', `there is no object "${which}" in ${bucket}`)
    return pinned
  }

  async function* readChunks(which: string | ObjectPin, after?: { readonly seq: number; readonly offset: number }): AsyncGenerator<Chunk> {
    const pinned = await pin(which)
    const hash = after === undefined ? createHash('sha256') : null
    let offset = after?.offset ?? 0
    for await (const { body, seq } of bus.scan(stream, chunkSubject(pinned.nuid), { fromSeq: (after?.seq ?? 0) + 1 })) {
      hash?.update(body)
      yield { bytes: body, seq, offset }
      offset += body.length
    }
    if (offset !== pinned.size)
      throw new ObjectError(
        offset === 0 ? 'replaced' : 'truncated',
        `object ${pinned.nuid} of ${bucket} has ${offset} of its ${pinned.size} bytes: it was replaced, removed or damaged`,
      )
    if (hash !== null && pinned.digest !== '') {
      const digest = digestOf(hash)
      if (digest !== unpadded(pinned.digest)) throw new ObjectError('corrupt', `object ${pinned.nuid} of ${bucket} is ${digest}, it should be ${pinned.digest}`)
    }
  }

  return {
    head,
    readChunks,
    async *read(which) {
      for await (const { bytes } of readChunks(which)) yield bytes
    },
    async put(name, chunks) {
      const before = await lookUp(name)
      const nuid = randomUUID().replaceAll('-', '')
      const subject = chunkSubject(nuid)
      const hash = createHash('sha256')
      let size = 0
      let count = 0
      const underWay: Promise<void>[] = []
      const written = async (body: Uint8Array) => {
        const stored = await bus.store(subject, body)
        if (stored.kind === 'refused') throw new InvariantBroken('objects', `chunk of ${bucket}/${name} refused: ${stored.message}`)
      }
      try {
        for await (const chunk of rechunked(chunks)) {
          hash.update(chunk)
          size += chunk.length
          count++
          underWay.push(written(chunk))
          if (underWay.length >= UNDER_WAY) await underWay.shift()
        }
        await Promise.all(underWay)
        const digest = `${digestOf(hash)}${padding(digestOf(hash))}`
        const record: ObjectRecord = {
          name,
          bucket,
          nuid,
          size,
          chunks: count,
          digest,
          mtime: new Date().toISOString(),
          options: { max_chunk_size: CHUNK_BYTES },
        }
        await bus.store(recordSubject(name), new TextEncoder().encode(JSON.stringify(record)), { rollup: true })
        if (before !== null) await bus.purge(stream, chunkSubject(before.nuid))
        return { nuid, size, chunks: count, digest }
      } catch (error) {
        await Promise.allSettled(underWay)
        // half an object under a nuid nobody knows: taken away if that can be done
        await bus.purge(stream, subject).catch((failure: unknown) => {
          if (!(failure instanceof Infrastructure)) throw failure
        })
        throw error
      }
    },
    async remove(name) {
      const record = await lookUp(name)
      if (record === null) return false
      const gone: ObjectRecord = { ...record, size: 0, chunks: 0, digest: '', deleted: true, mtime: new Date().toISOString() }
      await bus.store(recordSubject(name), new TextEncoder().encode(JSON.stringify(gone)), { rollup: true })
      await bus.purge(stream, chunkSubject(record.nuid))
      return true
    },
  }
}

/** Pieces of any size → chunks of CHUNK_BYTES; the last one shorter. */
async function* rechunked(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const piece of pieces) {
    held.push(piece)
    heldBytes += piece.length
    if (heldBytes < CHUNK_BYTES) continue
    const all = Buffer.concat(held)
    let at = 0
    for (; at + CHUNK_BYTES <= all.length; at += CHUNK_BYTES) yield all.subarray(at, at + CHUNK_BYTES)
    held = [all.subarray(at)]
    heldBytes = all.length - at
  }
  if (heldBytes > 0) yield Buffer.concat(held)
}

/** Some clients pad their base64url, some do not. */
function digestOf(hash: ReturnType<typeof createHash>): string {
  return `SHA-256=${hash.copy().digest('base64url')}`
}
function unpadded(digest: string): string {
  return digest.replace(/=+$/, '')
}
function padding(digest: string): string {
  return '='.repeat((4 - ((digest.length - 'SHA-256='.length) % 4)) % 4)
}
