/** Conditions over things that are heard: asked after each of them, never in a loop over time. */
export interface Listeners {
  /** something was heard */
  ask(): void
  /** Resolves when `holds` does. Rejects with what it throws, or after `withinMs`, with `what` and what `seen` then says. */
  until(what: string, holds: () => boolean, withinMs: number, seen?: () => string): Promise<void>
}

export function openListeners(): Listeners {
  const waiting = new Set<() => void>()
  return {
    ask() {
      for (const look of waiting) look()
    },
    async until(what, holds, withinMs, seen = () => '') {
      if (holds()) return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = () => {
        try {
          if (holds()) resolve()
        } catch (error) {
          reject(error)
        }
      }
      const timer = setTimeout(() => reject(new Error(`waited ${withinMs / 1_000} s for this: ${what}${seen() === '' ? '' : ` (${seen()})`}`)), withinMs)
      waiting.add(look)
      try {
        await promise
      } finally {
        clearTimeout(timer)
        waiting.delete(look)
      }
    },
  }
}
