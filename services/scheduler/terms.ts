/**
 * The terms of one process, one after another: an owner that lost its node key (its event loop stood still, the server was away) may be the owner again
 * before what it began as the last one has ended, and a campaign's record would then be written by both.
 */
export interface Terms {
  /** Resolves when the new term has begun; rejects when it cannot, or the last one could not end. */
  begin(): Promise<void>
  /** Resolves when no term is left. */
  end(): Promise<void>
  /** Resolves when the one that begins now, if any, has begun. */
  begun(): Promise<void>
}

export function successiveTerms(start: () => Promise<AsyncDisposable>): Terms {
  let term: Promise<AsyncDisposable> | null = null
  let ended: Promise<void> = Promise.resolve()
  const end = (): Promise<void> => {
    const ending = term
    term = null
    if (ending !== null) ended = ended.then(async () => (await ending)[Symbol.asyncDispose]())
    return ended
  }
  return {
    async begin() {
      const next = end().then(start)
      term = next
      await next
    },
    end,
    async begun() {
      await term
    },
  }
}
