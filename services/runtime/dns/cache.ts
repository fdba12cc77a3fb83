/**
 * A bounded memory of answers: the least recently used leaves first, what is past its time is not given out. Time comes in.
 * INVARIANT: never more than `max` entries.
 */
export interface TtlCache<V> {
  get(key: string, nowMs: number): { readonly value: V; readonly leftMs: number } | null
  set(key: string, value: V, ttlMs: number, nowMs: number): void
  readonly size: number
}

export function createTtlCache<V>(max: number): TtlCache<V> {
  // A Map remembers the order of insertion: the first key is the one not used for longest.
  const entries = new Map<string, { readonly value: V; readonly untilMs: number }>()
  return {
    get(key, nowMs) {
      const entry = entries.get(key)
      if (entry === undefined) return null
      entries.delete(key)
      if (entry.untilMs <= nowMs) return null
      entries.set(key, entry)
      return { value: entry.value, leftMs: entry.untilMs - nowMs }
    },
    set(key, value, ttlMs, nowMs) {
      entries.delete(key)
      entries.set(key, { value, untilMs: nowMs + ttlMs })
      for (const oldest of entries.keys()) {
        if (entries.size <= max) break
        entries.delete(oldest)
      }
    },
    get size() {
      return entries.size
    },
  }
}
