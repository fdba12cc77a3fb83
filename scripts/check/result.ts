/** What a gate or a ring found. `notes` are printed below its line, `slow` are its files with their durations. */
export type Result = {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly ms: number
  readonly notes: readonly string[]
  readonly slow: readonly { readonly file: string; readonly ms: number }[]
}

/** `types        1 passed, 0 failed   2.4 s` — the closing line of the whole check is the only one that starts with a number. */
export function progressLine({ name, passed, failed, ms }: Result): string {
  return `${name.padEnd(12)} ${passed} passed, ${failed} failed  ${(ms / 1000).toFixed(1)} s`
}
