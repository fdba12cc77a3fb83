import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import type { ExpansionCursor } from '../../protocol/messages/mail.ts'
import { listeningLog } from '../../test/kit/bus.ts'
import type { Bus, Entry, StoredAll } from '../runtime/bus/types.ts'
import { NOTHING_READ, type Running } from './campaigns.ts'
import { commit, ExpansionInterrupted } from './commit.ts'
import { expand, type ExpansionTools } from './expansion.ts'
import { WindowOfGroups } from './grouping.ts'

const LINES = 60_000
const CHUNKS = Array.from({ length: LINES / 1_000 }, (_, chunk) => {
  const lines = Array.from({ length: 1_000 }, (_, n) => chunk * 1_000 + n)
  return new TextEncoder().encode(lines.map((line) => `{"address":"u${line}@d${line % 997}.example"}\n`).join(''))
})
const SIZE = CHUNKS.reduce((sum, { length }) => sum + length, 0)
const UNKNOWN = { kind: 'unknown', because: 'timeout', batchId: 'x' } as const

/** A stream that answers late, and to its n-th step as `answer` says. `stored`: whether that step stands nevertheless. */
function stream({ at, answer, stored }: { at: number; answer: StoredAll | null; stored: boolean }) {
  const cursors: { seq: number; cursor: ExpansionCursor }[] = []
  let seq = 0
  let calls = 0
  let under = 0
  let together = 0
  const bus = {
    async *scan() {
      for (const [at, body] of CHUNKS.entries()) yield { body, seq: at + 1 }
    },
    async readLast() {
      const last = cursors.at(-1)
      return last ? { seq: last.seq, body: encode(last.cursor) } : null
    },
    async storeAll(entries: readonly Entry[]): Promise<StoredAll> {
      together = Math.max(together, ++under)
      await new Promise((resolve) => setImmediate(resolve))
      under--
      const [first] = entries as [Entry]
      if (first.expect?.seq !== (cursors.at(-1)?.seq ?? 0)) return { kind: 'refused', code: 10071, message: 'wrong last sequence' } as StoredAll
      const mine = ++calls === at ? answer : null
      if (mine === null || stored) {
        cursors.push({ seq: seq + 1, cursor: decode<ExpansionCursor>(first.body) })
        seq += entries.length
      }
      return mine ?? ({ kind: 'stored', lastSeq: seq } as StoredAll)
    },
  }
  return { bus: bus as unknown as Bus, cursors, together: () => together }
}

function campaign(): Running {
  const record = {
    tenant: 'acme',
    id: 'long',
    kind: 'notice',
    lane: 'bulk',
    dedupe: 'address',
    state: 'counting',
    rate: null,
    startAt: 0,
    window: null,
    inline: null,
    content: 'c',
  }
  const list = { name: 'l.ndjson', bucket: 'hato', nuid: 'n', size: SIZE, chunks: LINES / 1_000, digest: '', format: 'ndjson' }
  return {
    record: { ...record, list },
    expansion: NOTHING_READ,
    expansionSeq: 0,
    queues: new Map(),
    turn: Promise.resolve(),
    restores: 0,
  } as unknown as Running
}

const tools = (bus: Bus, stepBatches = 900): ExpansionTools =>
  ({
    bus,
    log: listeningLog(),
    now: () => 1_000,
    dice: () => 0.5,
    sites: { of: async (domain: string) => ({ kind: 'site', site: domain, provider: null, shard: 't01' }) },
    suppression: { heldBy: () => null },
    stopping: () => false,
    stepBatches,
    onBatches: () => {},
    releases: { choose: () => new Set(), went: () => {} },
    onProgress: async () => {},
  }) as unknown as ExpansionTools

describe('steps of an expansion', () => {
  it('grow, so that many sites in turn share few batches, after a first one that is soon there', async () => {
    const { bus, cursors } = stream({ at: 0, answer: null, stored: true })
    const running = campaign()
    expect(await expand(running, tools(bus, 15_000))).toEqual({ kind: 'done' })
    expect(cursors[0]?.cursor.batches).toBeLessThanOrEqual(900)
    const { recipients, batches } = running.expansion
    expect(recipients).toBe(LINES)
    expect(batches).toBeLessThan(LINES / 10) // 997 sites in turn; a step of 900 at most would have a batch for each recipient
  })

  it('of a job that holds its recipients itself are heard while the rest of it is cut', async () => {
    const recipients = Array.from({ length: LINES }, (_, n) => ({ address: `u${n}@d.example` }))
    const { bus } = stream({ at: 0, answer: null, stored: true })
    const running = { ...campaign(), record: { ...campaign().record, list: null, job: 1, inline: LINES } } as Running
    let cut = 0
    const cutAtStep: number[] = []
    const heldBy = () => {
      cut++
      return null
    }
    const expanding = expand(running, {
      ...tools({ ...bus, fetchSeq: async () => ({ body: encode({ recipients }) }) } as unknown as Bus),
      suppression: { heldBy } as unknown as ExpansionTools['suppression'],
      onBatches: () => cutAtStep.push(cut),
    })
    expect(await expanding).toEqual({ kind: 'done' })
    expect(cut).toBe(LINES)
    expect(cutAtStep[0]).toBeLessThan(LINES / 4)
  })

  it('leave the process its turns, though all chunks have arrived and all places are known', async () => {
    const { bus } = stream({ at: 0, answer: null, stored: true })
    let turns = 0
    const count = () => {
      turns++
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    expect(await expand(campaign(), tools(bus, 15_000))).toEqual({ kind: 'done' })
    clearImmediate(next)
    expect(turns).toBeGreaterThanOrEqual(CHUNKS.length)
  })

  it('follow each other one at a time while the list is read on, each from where the one before stands', async () => {
    const { bus, cursors, together } = stream({ at: 0, answer: null, stored: true })
    const running = campaign()
    expect(await expand(running, tools(bus))).toEqual({ kind: 'done' })
    expect(together()).toBe(1)
    expect(cursors.length).toBeGreaterThan(5)
    expect(cursors.at(-1)?.cursor).toMatchObject({ listRead: LINES, recipients: LINES, done: true })
    expect(running.expansion).toEqual(cursors.at(-1)?.cursor)
    expect([...running.queues.values()].flatMap(({ batches }) => batches).reduce((sum, { count }) => sum + count, 0)).toBe(LINES)
  })

  it('hold nobody any more while they are stored, and count everybody', async () => {
    const running = campaign()
    const open = new WindowOfGroups(NOTHING_READ, 900)
    for (let n = 0; n < 250; n++) open.add({ place: 'site', site: 'd.example', provider: null, shard: 't01' }, { address: `u${n}@d.example` }, n + 1)
    const step = open.close(true, null)
    let held = Number.NaN
    const { bus } = stream({ at: 0, answer: null, stored: true })
    const storeAll: Bus['storeAll'] = (entries) => {
      held = step.groups.reduce((sum, { recipients }) => sum + recipients.length, 0)
      return bus.storeAll(entries)
    }
    await commit(running, step, tools({ ...bus, storeAll } as Bus))
    expect(held).toBe(0)
    expect(running.queues.get('d.example')?.batches.map(({ count }) => count)).toEqual([100, 100, 50])
  })

  it('end with the one of which nobody knows whether it stands: none is written behind it', async () => {
    const { bus, cursors } = stream({ at: 3, answer: UNKNOWN, stored: false })
    const running = campaign()
    await expect(expand(running, tools(bus))).rejects.toThrow(ExpansionInterrupted)
    expect(cursors.length).toBe(2)
    expect(running.expansion).toEqual(cursors.at(-1)?.cursor)
  })

  it('go on behind one whose answer was lost, when the cursor says that it stands', async () => {
    const { bus, cursors } = stream({ at: 3, answer: UNKNOWN, stored: true })
    const running = campaign()
    expect(await expand(running, tools(bus))).toEqual({ kind: 'done' })
    expect(cursors.at(-1)?.cursor).toMatchObject({ recipients: LINES, done: true })
  })
})
