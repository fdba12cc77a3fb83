/**
 * Set-up file of every test file: what a test opens, it closes.
 *
 * After the last hook of a file, sockets, servers, child processes and running timers that were not there before must be gone.
 * They get `GRACE_MS`, since a closed handle disappears only after its close event.
 */
import { afterAll } from 'vitest'

const WATCHED = new Set(['TCPSocketWrap', 'TCPServerWrap', 'PipeServerWrap', 'TLSWrap', 'UDPWrap', 'ProcessWrap', 'FSEventWrap', 'Timeout'])
const GRACE_MS = 2_000
const LOOK_EVERY_MS = 20

const before = countOpen()

afterAll(async () => {
  const deadline = performance.now() + GRACE_MS
  let left = leaked()
  while (left.length > 0 && performance.now() < deadline) {
    // Unreferenced, so that this very timer is not among what it counts.
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref())
    left = leaked()
  }
  if (left.length > 0) throw new Error(`left open at the end of the file: ${left.join(', ')}`)
})

function countOpen(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) if (WATCHED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

function leaked(): string[] {
  return [...countOpen()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`)
}
