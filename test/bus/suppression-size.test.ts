/**
 * S8 of the suppression store, and how long it takes to come back: octets an entry, seconds from the log and from a snapshot.
 * Small here; TEST_SUPPRESSED=10000000 measures the ten million that delivery.md promises.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, expect, it } from 'vitest'
import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import type { SuppressionEntry } from '../../protocol/messages/ops.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import { Suppression } from '../../services/scheduler/suppression.ts'
import { natsForFile } from '../kit/bus.ts'

const ENTRIES = Number(process.env.TEST_SUPPRESSED ?? 100_000)
const A_MESSAGE = 500
const here = natsForFile()
beforeAll(async () => {
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureObjectBucket(OBJECT_BUCKET)
})

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
/** What stays when all garbage is gone; freed buffers take a moment to go back. */
async function residentBytes(): Promise<number> {
  for (let times = 0; times < 3; times++) {
    gc()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return process.memoryUsage().rss
}

it(`holds ${ENTRIES} entries in some 20 octets each and is back in seconds`, { timeout: 900_000 }, async () => {
  const open = () => new Suppression({ bus: here.bus, clock: systemClock })
  const filling = open()
  const importMs = await timed(async () => {
    const underWay: Promise<void>[] = []
    for (let from = 0; from < ENTRIES; from += A_MESSAGE) {
      const entries = Array.from({ length: Math.min(A_MESSAGE, ENTRIES - from) }, (_, at): SuppressionEntry => {
        return { address: `user${from + at}@example${(from + at) % 30_000}.jp`, reason: at % 3 === 0 ? 'unknown-user' : 'complaint' }
      })
      underWay.push(filling.add('acme', entries))
      if (underWay.length >= 8) await underWay.shift()
    }
    await Promise.all(underWay)
  })
  await filling.settled()
  await filling.save()
  const { bytes, messages } = await here.bus.streamState(STREAM.suppression)

  const before = await residentBytes()
  const store = open()
  const snapshotMs = await timed(() => store.load())
  const octets = ((await residentBytes()) - before) / ENTRIES
  const fromLog = open()
  const logMs = await timed(() => fromLog.load({ snapshot: 'passed-over' }))
  const asked = 200_000
  const askMs = await timed(async () => {
    for (let at = 0; at < asked; at++) store.heldBy({ tenant: 'acme', kind: 'marketing' }, `user${at * 7}@example${(at * 7) % 30_000}.jp`)
  })
  console.log(
    `${ENTRIES} entries: ${octets.toFixed(1)} octets each (resident), imported ${Math.round((ENTRIES / importMs) * 1_000)}/s, ` +
      `back from the snapshot in ${(snapshotMs / 1_000).toFixed(1)} s, from the log in ${(logMs / 1_000).toFixed(1)} s ` +
      `(${messages} messages, ${Math.round(bytes / ENTRIES)} octets an entry on disk), asked ${Math.round((asked / askMs) * 1_000)}/s`,
  )

  for (const one of [store, fromLog]) {
    expect(one.count('acme')).toBe(ENTRIES)
    expect(one.heldBy({ tenant: 'acme', kind: 'notice' }, `user${ENTRIES - 1}@example${(ENTRIES - 1) % 30_000}.jp`)).not.toBeNull()
    expect(one.heldBy({ tenant: 'acme', kind: 'notice' }, `user${ENTRIES}@example${ENTRIES % 30_000}.jp`)).toBeNull()
  }
  expect(Math.max(snapshotMs, logMs)).toBeLessThan(20_000)
  // Below a million the process's own noise is larger than the entries.
  if (ENTRIES >= 1_000_000) expect(octets).toBeLessThan(30)
})

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await act()
  return performance.now() - began
}
