/**
 * group-commit: many small durable writes at the price of one (design §2.3). Entries gather for a round; a round is one atomic batch;
 * the next one leaves when the one before is settled.
 *
 * OWNS       the entries between `add` and the stream's answer
 * INVARIANT  each entry is answered once: stored with its sequence, or refused in the server's words
 * NOTE       one refused entry refuses the whole batch; then that round is written one by one, so that only the guilty one is refused
 * ON DOUBT   a batch whose answer was lost may have been committed: its first subject is read at the leader for the batch's id, and only a batch
 *            that is not there is written again
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Bus, Entry, Stored } from './bus/types.ts'
import { Infrastructure, isBusy, RETRY_PACE_MS } from './errors.ts'
import type { Log } from './log.ts'

export interface GroupCommitOptions {
  readonly bus: Bus
  readonly stream: string
  readonly log: Log
  /** a round leaves so long after its first entry; default 50 ms */
  readonly everyMs?: number
  /** … or as soon as it has so many; default 200 */
  readonly most?: number
}

export interface GroupCommit extends AsyncDisposable {
  /** Resolves when it is on the disk, or refused. NOTE: an entry that must be fenced brings its `expect`. */
  add(entry: Entry): Promise<Stored>
  /** age of the oldest entry without an answer; 0 when there is none. Callers start nothing new while it is too high (S2: 300 ms) */
  oldestWaitingMs(): number
  waiting(): number
  /** resolves when everything added so far is answered */
  settled(): Promise<void>
}

interface Waiting {
  readonly entry: Entry
  readonly sinceMs: number
  readonly answer: (stored: Stored) => void
}

const MOST_BYTES = 4_000_000

export function startGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { bus, stream, log, everyMs = 50, most = 200 } = options
  let gathering: Waiting[] = []
  let round: readonly Waiting[] = []
  let timer: NodeJS.Timeout | undefined
  let idle = Promise.withResolvers<void>()
  idle.resolve()

  const leave = () => {
    clearTimeout(timer)
    timer = undefined
    if (round.length > 0 || gathering.length === 0) return
    round = nextRound(gathering, most)
    gathering = gathering.slice(round.length)
    void settle(round).then(() => {
      round = []
      if (gathering.length === 0) idle.resolve()
      else if (gathering.length >= most) leave()
      else timer ??= setTimeout(leave, Math.max(0, everyMs - (performance.now() - (gathering[0] as Waiting).sinceMs)))
    })
  }

  async function settle(all: readonly Waiting[]): Promise<void> {
    for (;;) {
      const stored = await bus.storeAll(all.map(({ entry }) => entry))
      switch (stored.kind) {
        case 'stored':
          for (const [at, { answer }] of all.entries()) answer({ kind: 'stored', seq: stored.lastSeq - (all.length - 1 - at) })
          return
        case 'refused':
          if (isBusy(stored)) break
          if (all.length === 1) return (all[0] as Waiting).answer(stored)
          // each in a batch of its own, so that its id tells afterwards whether it is there
          return void (await Promise.all(all.map((waiting) => settle([waiting]))))
        case 'unknown': {
          log.warn('round-in-doubt', { stream, entries: all.length, because: stored.because })
          const first = await insist(() => findBatch((all[0] as Waiting).entry, stored.batchId))
          if (first === null) break
          for (const [at, { answer }] of all.entries()) answer({ kind: 'stored', seq: first + at })
          return
        }
      }
      await pause(RETRY_PACE_MS.timeout)
    }
  }

  /** Sequence of the entry that carries the batch's id, or null when the batch is not there. */
  async function findBatch(entry: Entry, batchId: string): Promise<number | null> {
    let after = entry.expect?.seq ?? 0
    for (;;) {
      const message = await bus.readNext(stream, entry.subject, after)
      if (message === null) return null
      if (message.headers['Nats-Batch-Id'] === batchId) return message.seq
      after = message.seq
    }
  }

  async function insist<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof Infrastructure) || error.code === 'closed' || error.code === 'denied') throw error
        await pause(RETRY_PACE_MS[error.code])
      }
    }
  }

  return {
    add(entry) {
      const { promise, resolve } = Promise.withResolvers<Stored>()
      if (gathering.length === 0 && round.length === 0) idle = Promise.withResolvers()
      gathering.push({ entry, sinceMs: performance.now(), answer: resolve })
      if (gathering.length >= most) leave()
      else if (round.length === 0) timer ??= setTimeout(leave, everyMs)
      return promise
    },
    oldestWaitingMs() {
      const oldest = round[0] ?? gathering[0]
      return oldest === undefined ? 0 : performance.now() - oldest.sinceMs
    },
    waiting: () => round.length + gathering.length,
    settled: () => idle.promise,
    async [Symbol.asyncDispose]() {
      leave()
      await idle.promise
    },
  }
}

/** As many of the oldest as one batch bears. */
function nextRound(gathering: readonly Waiting[], most: number): readonly Waiting[] {
  let bytes = 0
  let count = 0
  for (const { entry } of gathering) {
    bytes += entry.body.length
    if (count === most || (count > 0 && bytes > MOST_BYTES)) break
    count++
  }
  return gathering.slice(0, count)
}
