import type { EpochMs } from '../../protocol/words.ts'
import type { Clock } from './clock.ts'

/** What a handled message leaves behind: when to be woken at the latest; null = only by a message. */
export type WakeAt = EpochMs | null

export interface Mailbox<M> extends Disposable {
  post(message: M): void
  /** messages not yet handled */
  readonly waiting: number
  /** resolves when all that was posted so far is handled */
  idle(): Promise<void>
}

/** Looked at again at least so often, so that a jump of the wall clock is not slept through. */
const LONGEST_SLEEP_MS = 60_000

/**
 * An actor's one door: messages are handled one after another, in the order they came, and `wake` is a message of its own when the
 * time named by the last handling has come. A handler that does no I/O returns its WakeAt itself and costs no promise.
 * What a handler throws is a bug and ends the process (lifecycle.ts).
 */
export function mailbox<M>(clock: Clock, handle: (message: M | 'wake') => WakeAt | Promise<WakeAt>): Mailbox<M> {
  let queue: (M | 'wake')[] = []
  let running = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let idle = Promise.withResolvers<void>()
  idle.resolve()

  const sleepUntil = (wakeAt: WakeAt) => {
    clearTimeout(timer)
    if (wakeAt === null || closed) return
    const leftMs = wakeAt - clock.now()
    timer = setTimeout(() => (leftMs > LONGEST_SLEEP_MS ? sleepUntil(wakeAt) : add('wake')), Math.min(LONGEST_SLEEP_MS, Math.max(0, leftMs)))
  }

  const run = async () => {
    running = true
    let wakeAt: WakeAt = null
    while (queue.length > 0 && !closed) {
      const taken = queue
      queue = []
      for (const message of taken) {
        if (closed) break
        const next = handle(message)
        wakeAt = next instanceof Promise ? await next : next
      }
    }
    running = false
    sleepUntil(wakeAt)
    idle.resolve()
  }

  const add = (message: M | 'wake') => {
    if (closed) return
    queue.push(message)
    if (running) return
    idle = Promise.withResolvers()
    void run()
  }

  return {
    post: add,
    get waiting() {
      return queue.length
    },
    idle: () => idle.promise,
    [Symbol.dispose]() {
      closed = true
      clearTimeout(timer)
    },
  }
}
