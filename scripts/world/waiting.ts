/** Waiting for the far end to have seen something, without sleeping. */
import type { WorldRecord } from './record.ts'

export type Waiting = Disposable & {
  /** to be called after each thing heard; costs nothing while nobody waits */
  ask(): void
  until(holds: (record: WorldRecord) => boolean, timeoutMs: number): Promise<void>
}

type Waiter = {
  readonly holds: (record: WorldRecord) => boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export function openWaiting(record: WorldRecord): Waiting {
  const waiters = new Set<Waiter>()
  function leave(waiter: Waiter): void {
    clearTimeout(waiter.timer)
    waiters.delete(waiter)
  }
  return {
    ask() {
      for (const waiter of waiters) {
        if (!waiter.holds(record)) continue
        leave(waiter)
        waiter.resolve()
      }
    },
    until(holds, timeoutMs) {
      if (holds(record)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          holds,
          resolve,
          reject,
          timer: setTimeout(() => {
            leave(waiter)
            reject(new Error(`the far end did not come to that within ${timeoutMs} ms; it has ${record.taken} recipients' mails: ${holds.toString()}`))
          }, timeoutMs),
        }
        waiters.add(waiter)
      })
    },
    [Symbol.dispose]() {
      for (const waiter of [...waiters]) {
        leave(waiter)
        waiter.reject(new Error('the world closed while somebody waited for it'))
      }
    },
  }
}
