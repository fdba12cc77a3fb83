import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { purgeNode } from '../../services/runtime/liveness.ts'
import { type LostBecause, own, type Ownership } from '../../services/runtime/ownership.ts'
import { watchOwners } from '../../services/runtime/owners.ts'
import { layCable } from '../kit/cable.ts'
import { listeningLog, until } from '../kit/bus.ts'
import { startNats, type TestNats } from '../kit/nats.ts'

const SHARDS = Array.from({ length: 12 }, (_, n) => `s${n}`)

interface Node extends AsyncDisposable {
  readonly ownership: Ownership
  readonly gained: Map<string, number>
  readonly lost: { readonly shard: string; readonly because: LostBecause }[]
}

async function node(bus: Bus, nodeId: string, changes: { rebalanceAfterMs?: number; onLost?: () => Promise<void> } = {}): Promise<Node> {
  const gained = new Map<string, number>()
  const lost: Node['lost'] = []
  const ownership = await own({
    bucket: openBucket(bus, 'owners'),
    role: 'router',
    nodeId,
    shards: SHARDS,
    clock: systemClock,
    log: listeningLog(),
    rebalanceAfterMs: 300,
    onGained: (shard, epoch) => void gained.set(shard, epoch),
    onLost: (shard, because) => {
      lost.push({ shard, because })
      return changes.onLost?.()
    },
  })
  return { ownership, gained, lost, [Symbol.asyncDispose]: () => ownership[Symbol.asyncDispose]() }
}

async function startBucket(): Promise<{ nats: TestNats; bus: Bus } & AsyncDisposable> {
  const nats = await startNats()
  const bus = await connectBus({ url: nats.url, name: 'owner', log: listeningLog() })
  await bus.ensureBuckets([{ name: 'owners', ttl: true }])
  return {
    nats,
    bus,
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]()
      await nats[Symbol.asyncDispose]()
    },
  }
}

function ownerProcess(url: string, nodeId: string): { child: ChildProcess; gained: Map<string, number>; exited: Promise<void> } {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../kit/owner-process.ts', import.meta.url)), url, nodeId, SHARDS.join(',')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gained = new Map<string, number>()
  child.stdout?.setEncoding('utf8').on('data', (lines: string) => {
    for (const line of lines.split('\n').filter(Boolean)) {
      const said = JSON.parse(line) as { gained?: string; epoch: number }
      if (said.gained !== undefined) gained.set(said.gained, said.epoch)
    }
  })
  const exited = Promise.withResolvers<void>()
  child.once('exit', () => exited.resolve())
  return { child, gained, exited: exited.promise }
}

test('nodes share the shards; a newcomer gets its part after the holder let go; a stop gives all back', async () => {
  await using here = await startBucket()
  await using otherBus = await connectBus({ url: here.nats.url, name: 'other', log: listeningLog() })
  const released: string[] = []
  await using a = await node(here.bus, 'a', { onLost: async () => void released.push('a') })
  await until('a to own all', () => a.ownership.held().size === SHARDS.length)
  expect(SHARDS.every((shard) => a.ownership.mayGrant(shard))).toBe(true)
  const b = await node(otherBus, 'b')
  await until('b to own its part', () => b.ownership.held().size > 0 && a.ownership.held().size + b.ownership.held().size === SHARDS.length)
  for (const [shard, epoch] of b.gained) {
    expect(a.ownership.epochOf(shard)).toBeNull()
    expect(epoch).toBeGreaterThan(a.gained.get(shard) as number)
  }
  expect(new Set(a.lost.map(({ because }) => because))).toEqual(new Set(['given']))
  expect(released.length).toBe(a.lost.length)

  const owners = watchOwners(openBucket(here.bus, 'owners'), 'router', () => {}, { attentive: true })
  await owners.ready
  expect([...owners.nodes().keys()].toSorted()).toEqual(['a', 'b'])
  for (const shard of SHARDS)
    expect(owners.ownerOf(shard)).toEqual({ owner: b.gained.has(shard) ? 'b' : 'a', epoch: (b.gained.get(shard) ?? a.gained.get(shard)) as number })
  expect(owners.silentMs()).toBeLessThan(3_000)
  owners.close()
  const rows = watchOwners(openBucket(here.bus, 'owners'), 'router', () => {}, { rowsOnly: true })
  await rows.ready
  expect([rows.nodes().size, rows.shards().size]).toEqual([0, SHARDS.length])
  rows.close()

  const before = performance.now()
  await b[Symbol.asyncDispose]()
  await until('a to own all again', () => a.ownership.held().size === SHARDS.length)
  expect(performance.now() - before).toBeLessThan(1_000)
})

test('kill -9 of an owner: another owns under new epochs within 4 s; when the exit was seen, within 1 s', async () => {
  await using here = await startBucket()
  await using standby = await node(here.bus, 'standby')
  const takeOver = async (nodeId: string, seen: boolean) => {
    const owner = ownerProcess(here.nats.url, nodeId)
    try {
      await until('the child to own a part', () => owner.gained.size > 0 && owner.gained.size + standby.ownership.held().size === SHARDS.length, 8_000)
      owner.child.kill('SIGKILL')
      const began = performance.now()
      await owner.exited
      if (seen) await purgeNode(openBucket(here.bus, 'owners'), 'router', nodeId)
      await until('the standby to own all', () => standby.ownership.held().size === SHARDS.length)
      for (const [shard, epoch] of owner.gained) expect(standby.ownership.epochOf(shard)).toBeGreaterThan(epoch)
      return performance.now() - began
    } finally {
      owner.child.kill('SIGKILL')
    }
  }
  expect(await takeOver('unseen', false)).toBeLessThan(4_000)
  expect(await takeOver('seen', true)).toBeLessThan(1_000)
}, 30_000)

test('SIGTERM of an owner hands over without a gap of a TTL', async () => {
  await using here = await startBucket()
  await using standby = await node(here.bus, 'standby')
  const owner = ownerProcess(here.nats.url, 'polite')
  await until('the child to own a part', () => owner.gained.size > 0 && owner.gained.size + standby.ownership.held().size === SHARDS.length, 8_000)
  owner.child.kill('SIGTERM')
  const began = performance.now()
  await until('the standby to own all', () => standby.ownership.held().size === SHARDS.length)
  expect(performance.now() - began).toBeLessThan(1_500)
  await owner.exited
}, 30_000)

test('an owner that is cut off stops granting before anybody else can own, and learns of its loss when it is back', async () => {
  await using here = await startBucket()
  await using cable = await layCable(here.nats.port)
  await using farBus = await connectBus({ url: `nats://127.0.0.1:${cable.port}`, name: 'far', log: listeningLog() })
  await using far = await node(farBus, 'far')
  await until('far to own all', () => far.ownership.held().size === SHARDS.length)
  const near = await node(here.bus, 'near', { rebalanceAfterMs: 60_000 })
  await until('both to own a part', () => near.ownership.held().size > 0 && near.ownership.held().size + far.ownership.held().size === SHARDS.length)
  const fars = [...far.ownership.held()]
  await cable.pull()
  const doubleOwned: string[] = []
  await until(
    'near to own all',
    () => {
      for (const [shard] of fars) if (near.ownership.epochOf(shard) !== null && far.ownership.mayGrant(shard)) doubleOwned.push(shard)
      return near.ownership.held().size === SHARDS.length
    },
    6_000,
  )
  expect(doubleOwned).toEqual([])
  for (const [shard, epoch] of fars) expect(near.ownership.epochOf(shard)).toBeGreaterThan(epoch)
  await cable.plugIn()
  await until('far to learn of it', () => far.lost.length >= fars.length)
  await near[Symbol.asyncDispose]()
}, 30_000)

test('a server that was away longer than the TTL: nobody grants meanwhile, afterwards all is owned again', async () => {
  await using here = await startBucket()
  await using a = await node(here.bus, 'a')
  await until('a to own all', () => a.ownership.held().size === SHARDS.length)
  await here.nats.kill()
  await until('a to stop granting', () => !a.ownership.mayGrant('s0'), 4_000)
  await here.nats.start()
  await until('a to own all again', () => SHARDS.every((shard) => a.ownership.mayGrant(shard)), 8_000)
}, 30_000)

test('whoever lost the node key owns under new epochs afterwards, since another may have owned meanwhile', async () => {
  await using here = await startBucket()
  await using a = await node(here.bus, 'a')
  await until('a to own all', () => a.ownership.held().size === SHARDS.length)
  const epochs = new Map(a.ownership.held())
  await purgeNode(openBucket(here.bus, 'owners'), 'router', 'a') // a supervisor that was mistaken
  await until('a to notice', () => a.lost.length === SHARDS.length)
  expect(new Set(a.lost.map(({ because }) => because))).toEqual(new Set(['dead']))
  await until('a to own all anew', () => SHARDS.every((shard) => a.ownership.mayGrant(shard)))
  for (const [shard, epoch] of epochs) expect(a.ownership.epochOf(shard)).toBeGreaterThan(epoch)
}, 30_000)

test('a refresh whose answer was lost is no reason to give up', async () => {
  await using here = await startBucket()
  await using a = await node(here.bus, 'a')
  await until('a to own all', () => a.ownership.held().size === SHARDS.length)
  for (let n = 0; n < 3; n++) {
    here.nats.freeze()
    await new Promise((resolve) => setTimeout(resolve, 1_200)) // longer than one refresh waits
    here.nats.thaw()
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  expect(a.lost).toEqual([])
  expect(a.ownership.mayGrant('s0')).toBe(true)
}, 30_000)
