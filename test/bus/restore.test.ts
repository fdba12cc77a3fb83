/** A campaign's queues, read again while batches are being cut: what a release goes by must be whole and in order whatever happens at once. */
import { beforeAll, describe, expect, it } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { Batch } from '../../protocol/messages/mail.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { NOTHING_READ, type Running } from '../../services/scheduler/campaigns.ts'
import { inTurn, queueOf, restoreQueues, restoreUnderWay } from '../../services/scheduler/restore.ts'
import { Tally } from '../../services/scheduler/state.ts'
import { UnderWay } from '../../services/scheduler/under-way.ts'
import { natsForFile } from '../kit/bus.ts'

const here = natsForFile()
beforeAll(() => here.bus.ensureStreams(STREAMS))

const SITES = ['a.example', 'b.example']
function campaign(id: string): Running {
  const tally = new Tally()
  return {
    record: { tenant: 'acme', id } as CampaignRecord,
    revision: 1,
    tally,
    underWay: new UnderWay(tally),
    expansion: NOTHING_READ,
    expansionSeq: 0,
    queues: new Map(),
    rate: { allowed: 0, at: 0 },
    changed: false,
    saved: {} as CampaignRecord['tally'],
    saveAfter: 0,
    turn: Promise.resolve(),
    restores: 0,
  }
}

/** Cuts a batch as the expansion does: in the stream first, then in the queue. */
async function cut(running: Running, at: number): Promise<number> {
  return inTurn(running, async () => {
    const site = SITES[at % SITES.length] as string
    const names = { tenant: 'acme', campaign: running.record.id }
    const batch: Batch = {
      v: 1,
      ...names,
      kind: 'notice',
      site,
      provider: null,
      shard: 't01',
      content: 'c',
      first: 0,
      recipients: [{ address: 'r@a.example', name: null, ref: null, vars: null }],
    }
    const stored = await here.bus.store(subject('batch', { ...names, site: site.replace('.', '_') }), encode(batch))
    if (stored.kind !== 'stored') throw new Error(stored.message)
    queueOf(running.queues, batch).batches.push({ seq: stored.seq, count: 1 })
    return stored.seq
  })
}

describe('the queues of a campaign', () => {
  it('hold every batch once and in order, though they are read twice at once while others are cut', async () => {
    const running = campaign('busy')
    const seqs: number[] = []
    for (let at = 0; at < 300; at++) seqs.push(await cut(running, at))
    const reading = [restoreQueues(here.bus, running), restoreQueues(here.bus, running)]
    expect(running.restores).toBe(2)
    for (let at = 300; at < 340; at++) seqs.push(await cut(running, at))
    await Promise.all(reading)
    expect(running.restores).toBe(0)
    for (const [n, site] of SITES.entries()) {
      expect(running.queues.get(site)?.batches.map(({ seq }) => seq)).toEqual(seqs.filter((_, at) => at % SITES.length === n))
    }
  })

  it('do not hold what goes within its order; where that is on its way, a new term finds in the stream', async () => {
    const running = campaign('small')
    const where = { kind: 'notice', lane: 'bulk', site: 'a.example', provider: null, pool: 'p' } as const
    const recipients = [{ address: 'r@a.example', name: null, ref: null, vars: null }]
    const names = { tenant: 'acme', campaign: 'small' }
    const inline = encode({ v: 1, ...names, ...where, shard: 't01', content: 'c', first: 0, recipients })
    const order = { v: 1, ...names, ...where, batch: 0, inline, mask: Uint8Array.of(1), count: 1, attempt: 0, deadline: Date.now() + 3_600_000 }
    for (const on of [
      subject('order', { shard: 't01', lane: 'bulk' }),
      subject('due', { lane: 'bulk' }),
      subject('laterRetry', { ...names, batch: 77 }),
      subject('laterRest', { shard: 't01', site: 'a_example', order: 78 }),
    ])
      await here.bus.store(on, encode(order))
    await restoreQueues(here.bus, running)
    expect([running.queues.size, running.underWay.size]).toEqual([0, 0])
    await restoreUnderWay(here.bus, { get: (_, id) => (id === 'small' ? running : undefined) })
    expect([...running.underWay.waiting(() => ({ because: 'x', until: null }))]).toEqual([{ site: 'a.example', count: 4, because: 'x', until: null }])
  })

  it('begin behind the release cursor', async () => {
    const running = campaign('half')
    const seqs = [await cut(running, 0), await cut(running, 2), await cut(running, 4)]
    await here.bus.store(subject('releaseCursor', { tenant: 'acme', campaign: 'half', site: 'a_example' }), encode({ released: seqs[1] }), { rollup: true })
    await restoreQueues(here.bus, running)
    expect(running.queues.get('a.example')?.batches.map(({ seq }) => seq)).toEqual([seqs[2]])
  })
})
