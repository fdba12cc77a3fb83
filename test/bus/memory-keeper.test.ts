import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { KEYS } from '../../protocol/buckets.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { keepMemory } from '../../services/ip-manager/memory-keeper.ts'
import type { Memory } from '../../services/ip-manager/policy/memory.ts'
import { natsForFile } from '../kit/bus.ts'

const here = natsForFile()
const memory = (position: number, pools: Memory['pools'] = []): Memory => ({ v: 1, position, now: 0, ips: [], pools })

async function keeper(epoch: number, first: Memory | null = null) {
  const state = { next: first, fenced: 0, taken: 0 }
  const bucket = openBucket(here.bus, 'memory')
  const kept = await keepMemory({
    bucket,
    epoch,
    everyMs: 60_000,
    mono: () => performance.now(),
    log: here.log,
    take() {
      const taken = state.next
      state.next = null
      if (taken !== null) state.taken++
      return taken
    },
    giveBack: () => {},
    onFenced: () => void state.fenced++,
  })
  return { state, kept }
}

test('an owner finds what the one before saved, and from then on the one before saves nothing more', async () => {
  await here.bus.ensureBuckets([{ name: 'memory', ttl: false }])
  const first = await keeper(1, memory(7))
  expect(first.kept?.loaded).toBeNull()
  expect(await first.kept?.save()).toBe(true)

  const second = await keeper(2)
  expect(second.kept?.loaded).toMatchObject({ position: 7 })
  first.state.next = memory(8)
  expect(await first.kept?.save()).toBe(false)
  expect(first.state.fenced).toBe(1)
  second.state.next = memory(9)
  expect(await second.kept?.save()).toBe(true)

  expect((await keeper(1)).kept).toBeNull()
  await second.kept?.[Symbol.asyncDispose]()
  await first.kept?.[Symbol.asyncDispose]()
  const third = await keeper(3)
  expect(third.kept?.loaded).toMatchObject({ position: 9 })
  await third.kept?.[Symbol.asyncDispose]()
})

test('a large memory comes back as it was', async () => {
  const pools = Array.from(
    { length: 2_000 },
    (_, n) => [`main ${randomBytes(20).toString('hex')}`, { blames: { '127.0.1.1': n }, rest: null, rested: [], stopped: [], shares: {} }] as const,
  )
  const fourth = await keeper(4, memory(10, pools))
  expect(await fourth.kept?.save()).toBe(true)
  await fourth.kept?.[Symbol.asyncDispose]()
  const kept = await openBucket(here.bus, 'memory').get(KEYS.ipMemory)
  expect(kept?.value.length).toBeLessThan(150_000)
  const fifth = await keeper(5)
  expect(fifth.kept?.loaded).toEqual(memory(10, pools))
  await fifth.kept?.[Symbol.asyncDispose]()
})
