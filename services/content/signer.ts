import { hash, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { DkimKey } from './dkim-keys.ts'

/** Where signatures are made. @throws (rejects) what node:crypto throws; a loaded key gives it no reason to */
export type Signer = (key: DkimKey, data: Uint8Array) => Promise<Buffer>

/** One turn of the event loop signs for so long and then lets sockets, timers and NATS have theirs. One RSA-4096 signature takes 2 ms. */
const TURN_MS = 4

const byPool = promisify(sign) as (algorithm: string, data: Uint8Array, key: KeyObject) => Promise<Buffer>

/**
 * In libuv's pool: for processes that have cores to spare, since one signs for many sessions. Handing a signature over and back costs up to 0.1 ms of CPU
 * while all cores are busy, a third of an RSA-2048 signature and more than a whole Ed25519 one, which is therefore made at once.
 */
export const signInPool: Signer = async (key, data) => (key.algorithm === 'rsa-sha256' ? byPool('sha256', data, key.privateKey) : signNow(key, data))

interface Waiting {
  readonly key: DkimKey
  readonly data: Uint8Array
  readonly done: (signature: Buffer) => void
  readonly failed: (error: unknown) => void
}

/** On the caller's thread, a few milliseconds' worth in each turn of the event loop: the cheapest where there is a process per core. */
export function signOnLoop(now: () => number = () => performance.now()): Signer {
  let waiting: Waiting[] = []
  let next = 0

  function turn(): void {
    const until = now() + TURN_MS
    do {
      const { key, data, done, failed } = waiting[next++]!
      try {
        done(signNow(key, data))
      } catch (error) {
        failed(error)
      }
    } while (next < waiting.length && now() < until)
    if (next < waiting.length) setImmediate(turn)
    else {
      waiting = []
      next = 0
    }
  }

  return (key, data) =>
    new Promise((done, failed) => {
      if (waiting.push({ key, data, done, failed }) === 1) setImmediate(turn)
    })
}

function signNow({ algorithm, privateKey }: DkimKey, data: Uint8Array): Buffer {
  // RFC 8463 3: Ed25519 signs the SHA-256 of the data, not the data
  return algorithm === 'rsa-sha256' ? sign('sha256', data, privateKey) : sign(null, hash('sha256', data, 'buffer'), privateKey)
}
