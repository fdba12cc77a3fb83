/**
 * The suppression index as one object: the hashes as they stand in memory, so that ten million entries are read in seconds without hashing one again.
 *
 * Frames: length of a head (4 octets), the head in msgpack, then what the head says follows. The first head says the hash's key and up to which message
 * of the log all is contained; every other frame is one segment of a tenant's table, or the names of its lists. It is only ever a shorter way to what the log says: a snapshot that
 * cannot be read is left aside.
 */
import { decode, encode } from '../../protocol/codec.ts'
import type { Log } from '../runtime/log.ts'
import { ObjectError, type Objects } from '../runtime/objects.ts'
import { SuppressionIndex } from './suppression-index.ts'

const VERSION = 1
/** a head of a hundred thousand names of lists is a tenth of this */
const HEAD_MAX = 64 * 1024 * 1024

interface Opening {
  readonly v: number
  readonly key: readonly [number, number]
  readonly position: number
}
interface SegmentHead {
  readonly tenant: string
  readonly segment: number
  readonly size: number
  /** of the slots that follow */
  readonly octets: number
}
interface ListsHead {
  readonly tenant: string
  readonly lists: readonly string[]
}

export async function writeSnapshot(objects: Objects, name: string, index: SuppressionIndex, position: number): Promise<void> {
  await objects.put(name, frames(index, position))
}

/** Null when there is none that can be used. `lastSeq`: of the log; a snapshot of what the log has not got belongs to another one. */
export async function readSnapshot(
  objects: Objects,
  name: string,
  lastSeq: number,
  log: Log | null,
): Promise<{ readonly index: SuppressionIndex; readonly position: number } | null> {
  if ((await objects.head(name)) === null) return null
  try {
    const read = await parse(objects.read(name))
    if (read !== null && read.position <= lastSeq) return read
    log?.warn('suppression snapshot left aside', {
      because: read === null ? 'another version wrote it' : 'it is of another log',
      position: read?.position,
      lastSeq,
    })
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    log?.warn('suppression snapshot left aside', { because: error.message })
  }
  return null
}

function* frames(index: SuppressionIndex, position: number): Generator<Uint8Array> {
  yield* framed({ v: VERSION, key: index.key, position } satisfies Opening)
  for (const [tenant, { table, lists }] of [...index.tenants()]) {
    for (const [segment, { slots, size }] of table.segments()) {
      const copy = slots.slice() // it may change while the object is written
      yield* framed({ tenant, segment, size, octets: copy.byteLength } satisfies SegmentHead)
      yield new Uint8Array(copy.buffer)
    }
    yield* framed({ tenant, lists: [...lists] } satisfies ListsHead)
  }
}

function* framed(head: object): Generator<Uint8Array> {
  const body = encode(head)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, body.length, true)
  yield length
  yield body
}

async function parse(chunks: AsyncGenerator<Uint8Array>): Promise<{ readonly index: SuppressionIndex; readonly position: number } | null> {
  const reader = new Reader(chunks)
  const opening = await reader.head<Opening>()
  if (opening?.v !== VERSION) return null
  const index = new SuppressionIndex(opening.key)
  for (;;) {
    const head = await reader.head<SegmentHead | ListsHead>()
    if (head === null) return { index, position: opening.position }
    const own = index.of(head.tenant)
    if ('lists' in head) {
      for (const list of head.lists) own.lists.add(list)
      continue
    }
    const slots = new Uint32Array(head.octets / Uint32Array.BYTES_PER_ELEMENT)
    await reader.into(new Uint8Array(slots.buffer))
    own.table.restore(head.segment, { slots, size: head.size })
  }
}

/** Octets in pieces of any size → what is asked for. */
class Reader {
  readonly #chunks: AsyncGenerator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array()
  #at = 0

  constructor(chunks: AsyncGenerator<Uint8Array>) {
    this.#chunks = chunks
  }

  /** Null at the end. */
  async head<T>(): Promise<T | null> {
    const length = new Uint8Array(4)
    if (!(await this.into(length))) return null
    const octets = new DataView(length.buffer).getUint32(0, true)
    if (octets > HEAD_MAX) throw new ObjectError('corrupt', `the snapshot has a head of ${octets} octets`)
    const body = new Uint8Array(octets)
    await this.into(body)
    return decode<T>(body)
  }

  /** False when nothing was left; an end in the middle is a truncated object. */
  async into(target: Uint8Array): Promise<boolean> {
    for (let filled = 0; filled < target.length; ) {
      if (this.#at === this.#chunk.length) {
        const next = await this.#chunks.next()
        if (next.done) {
          if (filled === 0) return false
          throw new ObjectError('truncated', 'the snapshot ends in the middle')
        }
        this.#chunk = next.value
        this.#at = 0
      }
      const piece = this.#chunk.subarray(this.#at, this.#at + target.length - filled)
      target.set(piece, filled)
      filled += piece.length
      this.#at += piece.length
    }
    return true
  }
}
