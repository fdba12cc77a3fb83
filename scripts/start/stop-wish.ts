/** A person's wish to stop: SIGTERM, SIGINT, or the terminal that went away. */
export interface StopWish {
  readonly signal: AbortSignal
  readonly heard: Promise<void>
}

/** npm and terminals hand the same Ctrl-C on within milliseconds; only a later one is a second wish. */
const SECOND_WISH_AFTER_MS = 1_000

/** The second wish ends this process at once; its children then end by themselves. */
export function hearStopWish(say: (line: string) => void): StopWish {
  const stop = new AbortController()
  const heard = Promise.withResolvers<void>()
  let firstMs: number | null = null
  const hear = (name: NodeJS.Signals) => {
    const now = performance.now()
    if (firstMs === null) {
      firstMs = now
      say(`${name}: finishing what is in hand, then stopping (once more to cut it short)`)
      stop.abort(new Error(name))
      heard.resolve()
    } else if (now - firstMs > SECOND_WISH_AFTER_MS) {
      say(`${name} again: cut short`)
      process.exit(1)
    }
  }
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, hear)
  return { signal: stop.signal, heard: heard.promise }
}
