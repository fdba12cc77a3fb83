/**
 * May an NXDOMAIN be believed? A resolver that says it of everything (a captive portal, a broken forwarder, a hijack) would bounce whole lists:
 * so it counts only while a name that surely exists resolves (delivery.md §8, `resolver-says-nxdomain-for-everything`).
 */
export interface Control {
  /** true = a control name resolved *after* this was asked; what was known before proves nothing about now */
  isSane(): Promise<boolean>
}

/** `resolves` asks the server itself, past every memory. Askers of one moment share a round; whoever comes during one waits for the next. */
export function createControl(names: readonly string[], resolves: (name: string) => Promise<boolean>): Control {
  let running: Promise<boolean> | null = null
  let next: Promise<boolean> | null = null

  async function round(): Promise<boolean> {
    for (const name of names) if (await resolves(name)) return true
    return false
  }
  function begin(): Promise<boolean> {
    next = null
    running = round().finally(() => {
      running = null
    })
    return running
  }
  return {
    isSane() {
      if (names.length === 0) return Promise.resolve(true)
      if (running === null) return begin()
      next ??= running.then(begin, begin)
      return next
    },
  }
}
